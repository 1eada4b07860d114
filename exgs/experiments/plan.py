"""What an experiment will take, before it begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from exgs.codec.encoding.effort import DEFAULT_EFFORT
from exgs.experiments.config import ExperimentConfig, Generated, LinkSpec
from exgs.experiments.figures import judged_times
from exgs.experiments.grid import cells

PLAY_SHARE = 0.4
"""Seconds of one core for each second of a session on virtual time, roughly."""
PIXEL_S = 6e-7
"""Seconds of one core for each pixel that is drawn and judged, roughly."""
PICTURES_PER_FRAME = 2.2
"""The source's picture, those of what is shown and of the whole scene; sessions share many of them."""


@dataclass(frozen=True)
class Plan:
    """The size of an experiment."""

    sessions: int
    """Sessions of the grid."""
    session_s: float
    """Length of all of them together: what they take at least where they are played in real time."""
    frames: int
    """Frames that are judged."""
    encodings: int
    """Scenes that are encoded, unless they are in the cache."""
    core_s: float
    """Seconds of one core, encodings not counted, roughly."""


def plan(config: ExperimentConfig) -> Plan:
    """The size of the whole grid, what is on record already included."""
    sessions = sum(1 for _ in cells(config))
    frames = sessions * len(judged_times(config.seconds, config.frames_per_second))
    drawn_s = frames * PICTURES_PER_FRAME * config.size[0] * config.size[1] * PIXEL_S
    session_s = sessions * config.seconds
    encodings = sum(len(scene.sizes) for scene in config.scenes if scene.stream is None)
    return Plan(sessions, session_s, frames, encodings, drawn_s + PLAY_SHARE * session_s)


def described(config: ExperimentConfig) -> list[tuple[str, str]]:
    """The grid for a person, in names and values."""
    width, height = config.size
    return [
        ("experiment", config.name),
        *[("scene", _scene(config, number)) for number in range(len(config.scenes))],
        *[("link", _link(link)) for link in config.links],
        *[("head", f"{head.name}{'' if head.trace else ' (made up)'}") for head in config.heads],
        *[("system", _system(config, number)) for number in range(len(config.systems))],
        ("seeds", _words([str(seed) for seed in config.seeds])),
        ("session", f"{config.seconds:g} s; {config.frames_per_second:g} pictures of {width} x {height} a "
                    "second are judged"),
    ]  # fmt: skip


def _scene(config: ExperimentConfig, number: int) -> str:
    scene = config.scenes[number]
    made = scene.source
    origin = f"generated, {made.count:,} Gaussians" if isinstance(made, Generated) else str(made)
    sent = f"sent as {scene.stream}" if scene.stream else f"at {_words([size.name for size in scene.sizes])}"
    if not scene.stream and scene.effort != DEFAULT_EFFORT:
        sent += f", effort {scene.effort}"
    return f"{scene.name}: {origin}, {sent}"


def _link(link: LinkSpec) -> str:
    down = link.down
    rate = f"{down.rate.mean_mbps:.2f} Mbit/s" if down.rate else "no bound"
    extra = [f"{1000 * down.jitter_s:g} ms of jitter"] if down.jitter_s else []
    extra += [f"{100 * down.loss:g} % lost"] if down.loss else []
    extra += ["lost in bursts"] if down.burst_loss else []
    return f"{link.name}: {_words([f'{rate} on average', f'{1000 * down.delay_s:g} ms each way', *extra])}"


def _system(config: ExperimentConfig, number: int) -> str:
    system = config.systems[number]
    extra = [f"at most {system.max_mbps:g} Mbit/s"] if system.max_mbps else []
    extra += [f"at most {system.max_splats:,} splats"] if system.max_splats else []
    return _words([f"{system.name}: {system.kind}" if system.name != system.kind else system.kind, *extra])


def _words(words: Sequence[str]) -> str:
    return ", ".join(words)

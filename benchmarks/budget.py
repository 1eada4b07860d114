"""A scene many times larger than what the device may hold: is the budget kept, and do chunks come to rest?

    python -m benchmarks.budget                                # 1.3 million splats, 100,000 of them at a time
    python -m benchmarks.budget --count 300000 --budget 25000 --real

A generated room is written with levels of four to one, by a plain merge that takes no time: what counts here
is which chunks come and go, not how they look. A row for each head: still, walking, and one that turns back
and forth. ``most held`` is the most splats of all levels at any moment, as a share of the budget; ``holes``
are moments at which any of the coarsest level was missing, ``orphans`` those at which a chunk was here whose
parent was not (it is not shown until that comes back: there is no hole); ``again`` is the share of the
received bytes that had been here before, ``soon`` of those that came within two seconds of their going; ``at
rest`` is megabits per second in the last third of the session.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.codec import Container, Level, Precision, Pyramid, open_container, serialize
from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.real import play_real
from exgs.experiments.timeline import ChunkRow, Timeline, Trial
from exgs.experiments.virtual import play_virtual
from exgs.scene import Gaussians, HeadPath, StartView, generate_interior, starting_view, synthetic_head_trace

COARSEST = 4_000
"""Levels are added until one has at most so many splats."""
SOON_S = 2.0
SWING_S = 8.0
"""A head that turns looks the other way, and back, once in this time."""


@dataclass(frozen=True)
class Figures:
    """What became of a session."""

    most_splats: int
    """Held at any moment, of all levels, from what was shown to what was let go."""
    holes: int
    """Moments at which a chunk of the coarsest level had gone."""
    orphans: int
    """Moments at which a chunk was here whose parent was not."""
    received_bytes: int
    """Of chunks."""
    again_bytes: int
    """Of these, what had been here before."""
    soon_bytes: int
    """Of those, what had been let go less than two seconds before it came."""
    let_go: int
    """Chunks let go."""
    resting_mbps: float
    """In the last third of the session."""
    first_frame_s: float | None
    """Since the offer."""


class Turning:
    """A head that stands where a path begins, and looks there and the other way by turns."""

    def __init__(self, path: HeadPath, up: np.ndarray) -> None:
        self._pose, self._up = path.pose_at(0.0), up / np.linalg.norm(up)

    def pose_at(self, time_s: float) -> np.ndarray:
        """[4,4] world from head."""
        angle = np.pi * (0.5 - 0.5 * np.cos(2 * np.pi * time_s / SWING_S))
        x, y, z = self._up
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        turned = self._pose.copy()
        turn = np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross
        turned[:3, :3] = turn @ self._pose[:3, :3]
        return turned


class Still:
    """A head that stays where a path begins."""

    def __init__(self, path: HeadPath) -> None:
        self._pose = path.pose_at(0.0)

    def pose_at(self, time_s: float) -> np.ndarray:
        """[4,4] world from head."""
        return self._pose


def large_scene(gaussians: Gaussians, start: StartView, *, coarsest: int = COARSEST) -> Container:
    """``gaussians`` on its finest level, and at most ``coarsest`` splats on the last."""
    levels, finer = [], gaussians.select(_along_a_curve(gaussians.means))
    while len(finer) > coarsest:
        coarser, parents = _merged(finer)
        importance = _size(finer) * (0.1 + np.abs(finer.sh0 - coarser.sh0[parents]).mean((1, 2)))
        levels.append(Level(finer, parents, importance.astype(np.float32)))
        finer = coarser
    levels.append(Level(finer, None, _size(finer).astype(np.float32)))
    return open_container(serialize(Pyramid(tuple(levels), start), Precision()))


def _room(count: int) -> Container:
    gaussians = generate_interior(seed=11, count=count)
    return large_scene(gaussians, starting_view(gaussians))


def _merged(finer: Gaussians) -> tuple[Gaussians, np.ndarray]:
    """Each four neighbours as one round splat, and the number of that one for each."""
    parents = (np.arange(len(finer)) // 4).astype(np.int32)
    weight = _size(finer) + 1e-12
    total = np.bincount(parents, weight)

    def mean(values: np.ndarray) -> np.ndarray:
        flat = values.reshape(len(values), -1).astype(np.float64)
        sums = np.zeros((len(total), flat.shape[1]))
        for index, column in enumerate(flat.T):
            sums[:, index] = np.bincount(parents, weight * column)
        return (sums / total[:, None]).reshape(len(total), *values.shape[1:]).astype(np.float32)

    means = mean(finer.means)
    spread = ((finer.means - means[parents]) ** 2).mean(1, keepdims=True)
    variance = mean(np.exp(2 * finer.log_scales).mean(1, keepdims=True) + spread)
    quats = np.zeros((len(means), 4), np.float32)
    quats[:, 0] = 1
    coarser = Gaussians(
        means, quats, np.repeat(0.5 * np.log(variance), 3, 1), mean(finer.opacity_logits), mean(finer.sh0),
        mean(finer.shN), finer.frame,
    )  # fmt: skip
    return coarser, parents


def _size(gaussians: Gaussians) -> np.ndarray:
    """[N] about the area of each, seen from anywhere."""
    return np.exp(2 * gaussians.log_scales).mean(1) / (1 + np.exp(-gaussians.opacity_logits))


def _along_a_curve(means: np.ndarray) -> np.ndarray:
    """Numbers of the points in Morton's order."""
    low, high = means.min(0), means.max(0)
    cells = ((means - low) / (high - low).max() * 1023).astype(np.int64)
    key = np.zeros(len(means), np.int64)
    for bit in range(10):
        for axis in range(3):
            key |= ((cells[:, axis] >> bit) & 1) << (3 * bit + axis)
    return np.argsort(key, kind="stable")


def figures(timeline: Timeline) -> Figures:
    """What the rows of a session say."""
    scene = timeline.trial.scene
    assert isinstance(scene, Container)
    parents = [chunk.parent for chunk in scene.manifest]
    held: set[int] = set()
    roots = {chunk for chunk, parent in enumerate(parents) if parent < 0}
    splats = most = holes = orphans = 0
    began = False
    for _, changes in _moments(timeline.chunks):
        for row, comes in changes:
            splats += row.splats if comes else -row.splats
            (held.add if comes else held.discard)(row.chunk)
        most, began = max(most, splats), began or roots <= held
        holes += began and not roots <= held
        orphans += any(parents[chunk] not in held for chunk in held - roots)
    again, soon = _again(timeline.chunks)
    last_s = timeline.trial.seconds * 2 / 3
    late = sum(row.size_bytes for row in timeline.chunks if (row.received_s or 0.0) > last_s)
    return Figures(
        most_splats=most,
        holes=holes,
        orphans=orphans,
        received_bytes=sum(row.size_bytes for row in timeline.chunks if row.received_s is not None),
        again_bytes=again,
        soon_bytes=soon,
        let_go=sum(row.gone_s is not None for row in timeline.chunks),
        resting_mbps=late * 8e-6 / (timeline.trial.seconds - last_s),
        first_frame_s=timeline.first_frame_s,
    )


def _moments(rows: Sequence[ChunkRow]) -> Iterator[tuple[float, list[tuple[ChunkRow, bool]]]]:
    """When what is on display changes, in order, with what comes (True) and what goes."""
    changes: dict[float, list[tuple[ChunkRow, bool]]] = {}
    for row in rows:
        if row.shown_s is not None:
            changes.setdefault(row.shown_s, []).append((row, True))
            if row.gone_s is not None:
                changes.setdefault(row.gone_s, []).append((row, False))
    return iter(sorted(changes.items(), key=lambda item: item[0]))


def _again(rows: Sequence[ChunkRow]) -> tuple[int, int]:
    """Bytes that came again after they were let go, and of these soon after."""
    gone_s: dict[int, float] = {}
    again = soon = 0
    for row in rows:
        if row.received_s is None:
            continue
        if row.chunk in gone_s:
            again += row.size_bytes
            soon += row.size_bytes * (row.received_s - gone_s[row.chunk] < SOON_S)
        if row.gone_s is not None:
            gone_s[row.chunk] = row.gone_s
    return again, soon


def line(name: str, budget: int, found: Figures) -> str:
    """A row for a person."""
    received = max(found.received_bytes, 1)
    first = "never" if found.first_frame_s is None else f"{found.first_frame_s:.2f} s"
    return "   ".join(
        (
            f"{name:8} first {first:>7}",
            f"most held {found.most_splats / budget:6.1%}",
            f"holes {found.holes}",
            f"orphans {found.orphans}",
            f"received {received / 1e6:5.2f} MB",
            f"let go {found.let_go:4}",
            f"again {found.again_bytes / received:5.1%}",
            f"soon {found.soon_bytes / received:5.1%}",
            f"at rest {found.resting_mbps:5.2f} Mbit/s",
        )
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scene", type=Path, help="a .ugc file; a generated room by default")
    parser.add_argument("--count", type=int, default=1_300_000, help="splats of that room")
    parser.add_argument("--budget", type=int, default=100_000, help="splats that may be held")
    parser.add_argument("--mbps", type=float, default=20.0)
    parser.add_argument("--seconds", type=float, default=24.0)
    parser.add_argument("--real", action="store_true", help="a real server and client through the relay")
    args = parser.parse_args()
    began_s = time.perf_counter()
    scene = open_container(args.scene.read_bytes()) if args.scene else _room(args.count)
    held = sum(chunk.count for chunk in scene.manifest)
    print(
        f"{scene.shown:,} splats shown in full, {held:,} on {scene.header.levels} levels, "
        f"{len(scene.data) / 1e6:.1f} MB in {len(scene.manifest)} chunks, "
        f"{scene.shown / args.budget:.1f} times the budget ({time.perf_counter() - began_s:.0f} s to make)"
    )
    start, up = scene.header.start, scene.header.frame.up_vector
    assert start is not None, "the file names no start"
    walk = synthetic_head_trace(seconds=args.seconds, seed=3).placed(start, up)
    link = LinkSettings(Rate.constant(args.mbps), 0.025)
    for name, path in (("still", Still(walk)), ("walking", walk), ("turning", Turning(walk, up))):
        trial = Trial(
            scene, path, link, link, seconds=args.seconds, fps=30.0, max_splats=args.budget  # type: ignore[arg-type]
        )  # fmt: skip
        timeline = play_real(trial) if args.real else play_virtual(trial)
        print(line(name, args.budget, figures(timeline)), flush=True)


if __name__ == "__main__":
    main()

"""What an experiment is: scenes, links, heads and systems; every combination is played and judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from exgs.codec import DEFAULT_PRESET, PRESETS, EncodeConfig
from exgs.codec.encoding.effort import DEFAULT_EFFORT
from exgs.experiments.link import LinkSettings

STREAMED = ("error", "level", "file")
"""Systems in which the server chooses what to send."""
KINDS = (*STREAMED, "download", "sog")
"""All systems: besides, the whole .ugc file by HTTP, and a SOG file of the scene by HTTP."""


@dataclass(frozen=True)
class Generated:
    """An interior that the product makes itself."""

    seed: int = 1
    """Which one."""
    count: int = 60_000
    """Its Gaussians."""


@dataclass(frozen=True)
class Size:
    """How large the encoded scene is to be: a ratio, or a preset that names one."""

    ratio: float
    """Bytes of the source as a float32 PLY over bytes of the file."""

    @property
    def name(self) -> str:
        """For tables: ``1/107``."""
        return f"1/{self.ratio:g}"

    def config(self, views: int | None, effort: str) -> EncodeConfig:
        """How to encode; ``views`` None leaves the number of viewpoints to the encoder."""
        return EncodeConfig(ratio=self.ratio, views=views, effort=effort)


DEFAULT_SIZE = Size(PRESETS[DEFAULT_PRESET])


@dataclass(frozen=True)
class SceneSpec:
    """An uncompressed scene, and how it is sent."""

    name: str
    """For tables."""
    source: Path | Generated
    """The uncompressed scene, which pictures are judged by."""
    stream: Path | None = None
    """The encoded scene; None to encode the source."""
    sizes: tuple[Size, ...] = (DEFAULT_SIZE,)
    """How large to encode it, one after the other; not used with ``stream``."""
    views: int | None = None
    """Viewpoints of the encoder; None leaves them to it."""
    effort: str = DEFAULT_EFFORT
    """How much the encoder looks at the scene: a name of ``EFFORTS``."""
    sog: Path | None = None
    """A SOG file of the scene; None to have it made where a program for that is known."""


@dataclass(frozen=True)
class LinkSpec:
    """A network between the server and the viewer."""

    name: str
    """For tables."""
    down: LinkSettings
    """To the viewer."""
    up: LinkSettings
    """To the server."""
    checksum: str = ""
    """Tells the rates of both apart from others."""


@dataclass(frozen=True)
class HeadSpec:
    """How the viewer's head moves."""

    name: str
    """For tables."""
    trace: Path | None = None
    """A recording; None for a made-up walk."""
    synthetic: int = 0
    """Seed of the made-up walk."""


@dataclass(frozen=True)
class SystemSpec:
    """Who sends what when."""

    name: str
    """For tables."""
    kind: str
    """One of ``KINDS``."""
    max_mbps: float | None = None
    """What the user lets the server send; None for no bound."""
    max_splats: int | None = None
    """Splats of all levels that the viewer may hold; None for no bound."""


@dataclass(frozen=True)
class ExperimentConfig:
    """A grid of sessions, and how they are judged."""

    name: str
    """For titles."""
    scenes: tuple[SceneSpec, ...]
    """What is looked at."""
    links: tuple[LinkSpec, ...]
    """Over which networks."""
    heads: tuple[HeadSpec, ...]
    """By whom."""
    systems: tuple[SystemSpec, ...]
    """Sent how."""
    seeds: tuple[int, ...] = (1,)
    """Of losses and jitter; each combination is played once for each."""
    seconds: float = 8.0
    """Length of a session, from the offer."""
    frames_per_second: float = 5.0
    """Pictures that are judged, per second of the session."""
    tick_hz: float = 72.0
    """Frames of the viewer, and poses told to the server, per second."""
    size: tuple[int, int] = (320, 180)
    """Width and height of a judged picture in pixels."""
    fov_y_deg: float = 68.75
    """Vertical field of view, in degrees."""
    splat_transform: str = "splat-transform"
    """The program that makes SOG files where a scene names none: a path, or a name to be looked for."""

"""The sessions of an experiment: every combination of scene, size, head, link, system and seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from exgs.experiments.config import ExperimentConfig, HeadSpec, LinkSpec, SceneSpec, Size, SystemSpec
from exgs.experiments.link import LinkSettings
from exgs.version import __version__

ROOMS = ("scene", "raster", "codec", "protocol", "server", "client", "experiments")
"""What a session's outcome depends on."""


@dataclass(frozen=True)
class Cell:
    """One session of the grid."""

    scene: SceneSpec
    """What is looked at."""
    size: Size | None
    """How large it is encoded; None where the scene comes encoded, or as another file."""
    head: HeadSpec
    """By whom."""
    link: LinkSpec
    """Over which network."""
    system: SystemSpec
    """Sent how."""
    seed: int
    """Of losses and jitter."""

    @property
    def names(self) -> dict[str, str | int]:
        """The first columns of every table."""
        return {
            "scene": self.scene.name,
            "ratio": self.size.name if self.size else "",
            "link": self.link.name,
            "head": self.head.name,
            "system": self.system.name,
            "seed": self.seed,
        }


def cells(config: ExperimentConfig) -> Iterator[Cell]:
    """All of them; those that share a scene and a head one after the other."""
    for scene in config.scenes:
        for head in config.heads:
            for size in (None,) if scene.stream else scene.sizes:
                for link in config.links:
                    for system in config.systems:
                        if system.kind == "sog" and size not in (None, scene.sizes[0]):
                            continue  # a SOG file has no sizes
                        shown = None if system.kind == "sog" else size
                        for seed in config.seeds:
                            yield Cell(scene, shown, head, link, system, seed)


def cell_key(cell: Cell, config: ExperimentConfig, *, mode: str, content: str, code: str) -> str:
    """32 hexadecimal digits that change with whatever the outcome depends on; names do not matter.

    ``content`` tells the bytes of scene and head apart, ``code`` the program (``code_checksum``).
    """
    words = [
        __version__, code, mode, content, cell.link.checksum, _quality(cell.link.down),
        _quality(cell.link.up), cell.system.kind, cell.system.max_mbps, cell.system.max_splats, cell.seed,
        config.seconds, config.frames_per_second, config.tick_hz, config.size, config.fov_y_deg,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:32]


def code_checksum(rooms: tuple[str, ...] = ROOMS) -> str:
    """16 hexadecimal digits that change with the program's source."""
    package, found = Path(__file__).resolve().parents[1], hashlib.sha256()
    for room in rooms:
        for path in sorted((package / room).rglob("*.py")):
            found.update(str(path.relative_to(package)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:16]


def _quality(link: LinkSettings) -> list[object]:
    """All of a link's settings but its rate."""
    burst = asdict(link.burst_loss) if link.burst_loss else None
    return [link.delay_s, link.jitter_s, link.loss, burst, link.queue_bytes, link.overhead_bytes]

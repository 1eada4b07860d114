"""Judges weights on scenes that they never saw, picture by picture.

What was judged lies in a folder, a file for each scene and kind of damage: a run that was stopped goes on
where it was, and other weights are judged on the same pictures. It knows weights by their bytes, scenes by
their names, and encoders not at all: after a change to ours the folder has to go, with the encodings.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.codec.processes import run
from exgs.cli.pictures import write_sheet
from exgs.painter import Restorer, choose_restorer
from exgs.painter.damage import Encoder, damaged, parse_damage
from exgs.painter.evaluation import Sight, look
from exgs.painter.shelf import open_weights
from exgs.raster import Rasterizer
from exgs.raster.quality import Quality, compare_pictures
from exgs.scene import Camera, Gaussians, read_scene, to_frame, write_scene
from exgs.scene.formats.atomic import write_bytes

MEASURES = ("psnr", "ssim", "flip")
"""Of every picture, in this order."""
DECIMATE = "decimate-"
"""Begins the names of what the foreign splat-transform makes; the share of splats that it leaves follows."""


@dataclass(frozen=True)
class HeldOut:
    """A scene to judge by."""

    name: str
    """What it is called; generated rooms are interior-SEED."""
    load: Callable[[], Gaussians]
    """Reads or makes it."""
    look_from: Callable[[Gaussians], Sequence[Camera]]
    """The views that are judged."""
    views: int
    """How many these are."""

    @property
    def key(self) -> str:
        """What is known of it is kept under this name."""
        return f"{self.name}-{self.views}-views"


@dataclass(frozen=True)
class Candidate:
    """Weights to judge."""

    name: str
    """As ``--weights`` names them: a size or a folder."""
    mark: str
    """Tells them from others of that name."""
    restorer: Restorer

    @staticmethod
    def named(name: str, threads: int | None = None) -> Candidate:
        """The weights called so, run by so many threads."""
        manifest = open_weights(name).manifest
        told = json.dumps([dict(manifest.sha256), asdict(manifest.gate)], sort_keys=True)
        return Candidate(
            name, hashlib.sha256(told.encode()).hexdigest()[:12], choose_restorer(name, threads=threads)
        )


@dataclass(frozen=True)
class Desk:
    """What judging takes."""

    folder: Path
    """Where it is kept what was judged."""
    candidates: Sequence[Candidate]
    rasterizer: Rasterizer
    make: Encoder
    program: str | None = None
    """The splat-transform that decimates."""


@dataclass(frozen=True, eq=False)
class Verdict:
    """What restoring did to pictures of one scene and kind of damage."""

    before: np.ndarray
    """[V,3] measures of the damaged pictures."""
    after: np.ndarray
    """[V,3] of the restored ones."""


def judged(desk: Desk, scene: HeldOut, damages: Sequence[str]) -> dict[str, dict[str, Verdict]]:
    """The verdict on each damage of ``scene``, candidate by candidate; what is known is not judged again."""
    missing = [damage for damage in damages if _wanted(desk, scene.key, damage)]
    if missing:
        gaussians = scene.load()
        cameras = scene.look_from(gaussians)
        clean = [desk.rasterizer.render(gaussians, [camera]).color[0] for camera in cameras]
        for name, copy in _copies(desk, gaussians, missing):
            _judge(desk, scene.key, name, copy, (cameras, clean))
    return {damage: _verdicts(desk, scene.key, damage) for damage in damages}


def row_of_pictures(desk: Desk, scene: HeldOut, damage: str) -> Path:
    """Source, decoded, restored by the first candidate and mask, in a PNG, once they were judged."""
    return _path(desk, scene.key, damage).with_suffix(f".{desk.candidates[0].mark}.png")


def _path(desk: Desk, key: str, damage: str) -> Path:
    return desk.folder / key / f"{damage.rstrip('%')}.json"


def _read(desk: Desk, key: str, damage: str) -> dict[str, Any]:
    path = _path(desk, key, damage)
    return dict(json.loads(path.read_text())) if path.is_file() else {"before": [], "after": {}}


def _wanted(desk: Desk, key: str, damage: str) -> list[Candidate]:
    """Who was not judged by this yet."""
    known = _read(desk, key, damage)["after"]
    return [candidate for candidate in desk.candidates if candidate.mark not in known]


def _verdicts(desk: Desk, key: str, damage: str) -> dict[str, Verdict]:
    known = _read(desk, key, damage)
    before = np.array(known["before"])
    return {c.name: Verdict(before, np.array(known["after"][c.mark])) for c in desk.candidates}


def _judge(
    desk: Desk,
    key: str,
    damage: str,
    copy: Gaussians,
    views: tuple[Sequence[Camera], Sequence[np.ndarray]],
) -> None:
    """Judges who was not judged by ``copy`` yet, and keeps what comes of it."""
    known, path = _read(desk, key, damage), _path(desk, key, damage)
    path.parent.mkdir(parents=True, exist_ok=True)
    for candidate in _wanted(desk, key, damage):
        after = []
        for view, (camera, clean) in enumerate(zip(*views, strict=True)):
            sight = look(clean, copy, camera, restorer=candidate.restorer, rasterizer=desk.rasterizer)
            if view == len(known["before"]):
                known["before"].append(_measures(compare_pictures(clean, sight.damaged)))
            same = sight.restored is sight.damaged
            after.append(
                known["before"][view] if same else _measures(compare_pictures(clean, sight.restored))
            )
            if view == 0:
                write_sheet(path.with_suffix(f".{candidate.mark}.png"), [_row(sight)])
        known["after"][candidate.mark] = after
        write_bytes(path, json.dumps(known).encode())


def _measures(quality: Quality) -> list[float]:
    return [round(float(getattr(quality, measure)), 5) for measure in MEASURES]


def _row(sight: Sight) -> list[np.ndarray]:
    """Source, decoded, restored, mask."""
    return [sight.source, sight.damaged, sight.restored, np.repeat(sight.alpha[..., None], 3, axis=2)]


def _copies(desk: Desk, gaussians: Gaussians, damages: Sequence[str]) -> Iterator[tuple[str, Gaussians]]:
    """The damaged copies called so."""
    own = [parse_damage(name) for name in damages if not name.startswith(DECIMATE)]
    for damage, copy in damaged(gaussians, own, make=desk.make):
        yield damage.name, copy
    for name in damages:
        if name.startswith(DECIMATE):
            yield name, decimated(desk, gaussians, name.removeprefix(DECIMATE))


def decimated(desk: Desk, gaussians: Gaussians, share: str) -> Gaussians:
    """What splat-transform leaves of a scene that is cut to ``share``, such as 2%."""
    with tempfile.TemporaryDirectory(prefix="exgs-") as folder:
        source, target = Path(folder) / "source.ply", Path(folder) / "decimated.ply"
        write_scene(source, gaussians)
        run([desk.program, "-g", "cpu", "-w", "-q", source, "--decimate", share, target])
        return to_frame(read_scene(target), gaussians.frame)

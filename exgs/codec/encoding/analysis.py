"""What encoding finds out about a scene before it knows the budget, as arrays that can be kept."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from exgs.codec.encoding.carrying import Fitted
from exgs.codec.encoding.effort import Effort
from exgs.codec.encoding.leaves import Leaves
from exgs.codec.encoding.merge_tree import MergeTree
from exgs.codec.encoding.rate import BALANCED
from exgs.codec.encoding.survey import KEPT, Survey
from exgs.codec.writing.precision import STEPS
from exgs.raster.crew import Crew
from exgs.scene import Camera, Gaussians, StartView
from exgs.scene.gaussians import VALUES

VERSION = 8
"""Raised whenever the same scene would be analysed otherwise: views, merging or fit."""

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Analysis:
    """A scene without its floaters, looked at and merged."""

    keep: np.ndarray
    """[N] bool: which of the prepared Gaussians are not floaters."""
    views: Survey
    """What views tell of those that are kept."""
    tree: MergeTree
    """All their merges."""
    start: StartView
    """Where a viewer begins."""
    fitted: Fitted | None = None
    """A cut that was fitted already."""


class Analyses(Protocol):
    """What keeps analyses from one encoding to the next, by ``scene_key``."""

    def get(self, key: str, prepared: Gaussians) -> Analysis | None:
        """The analysis of ``prepared``; None where there is none that can be used."""

    def put(self, key: str, analysis: Analysis) -> None:
        """Keeps ``analysis`` in the place of any other of that key."""


def scene_key(
    gaussians: Gaussians,
    views: Sequence[Camera] | tuple[int, int],
    backend: str,
    effort: Effort,
    photographs: np.ndarray | None = None,
) -> str:
    """A name for the analysis of ``gaussians``: the same for the same content only.

    ``views`` are the cameras that were given, or how many are to be sampled and with which seed;
    ``photographs`` [V,H,W,3] uint8 what the cameras saw, where that was given too.
    """
    made = f"exgs analysis {VERSION} {backend} {effort} {gaussians.frame}"
    digest = hashlib.blake2b(made.encode(), digest_size=20)
    for name in VALUES:
        array = getattr(gaussians, name)
        digest.update(f"{name} {array.shape}".encode())
        digest.update(array.reshape(-1).view(np.uint8).data)
    for view in views:
        digest.update(_as_row(view).tobytes() if isinstance(view, Camera) else f" {view}".encode())
    if photographs is not None:
        digest.update(f"photographs {photographs.shape}".encode())
        digest.update(np.ascontiguousarray(photographs).data)
    return digest.hexdigest()


def to_arrays(analysis: Analysis) -> dict[str, np.ndarray]:
    """The analysis as named arrays, without the scene itself."""
    views, tree = analysis.views, analysis.tree
    arrays = {
        "keep": analysis.keep,
        "cameras": np.array([_as_row(camera) for camera in views.cameras]),
        "pictures": views.pictures.astype(KEPT),
        "weight_sum": views.weight_sum,
        "footprint": views.footprint,
        "leaf_index": tree.leaves.index,
        "leaf_footprint": tree.leaves.footprint,
        "leaf_clear": tree.leaves.clear,
        "merges": tree.merges,
        "cost": tree.cost,
        "start": np.array([*analysis.start.position, *analysis.start.target, analysis.start.units_per_metre]),
    }
    if analysis.fitted is not None:
        arrays |= {"fitted_first": analysis.fitted.first, "fitted_mass": analysis.fitted.mass}
        room = analysis.fitted.budget_bytes, analysis.fitted.size_bytes
        arrays["fitted_file"] = np.array([*room, analysis.fitted.factor])
        arrays["fitted_steps"] = np.array([getattr(analysis.fitted.precision, name) for name in STEPS])
        for part in ("merged", "fitted"):
            gaussians = getattr(analysis.fitted, part)
            arrays |= {f"{part}_{name}": getattr(gaussians, name) for name in VALUES}
    return arrays


def from_arrays(arrays: Arrays, prepared: Gaussians) -> Analysis:
    """The analysis of ``prepared`` that ``to_arrays`` wrote.

    Raises:
        KeyError, ValueError, SceneError: the arrays are not those of an analysis of it.
    """
    keep = _like(arrays["keep"], np.bool_, (len(prepared),))
    gaussians = prepared if keep.all() else prepared.select(keep)
    count = len(gaussians)
    cameras = tuple(_as_camera(row) for row in arrays["cameras"])
    kept = _like(arrays["pictures"], KEPT, (len(cameras), cameras[0].height, cameras[0].width, 3))
    pictures = np.empty(kept.shape, np.float32)
    Crew().share(np.copyto, zip(pictures, kept, strict=True))
    per_gaussian = ("weight_sum", "footprint", "leaf_footprint", "leaf_clear")
    sums = {name: _like(arrays[name], np.float32, (count,)) for name in per_gaussian}
    index = _like(arrays["leaf_index"], np.int32, (count,))
    merges = _like(arrays["merges"], np.int32, (count - 1, 2))
    if count > 1 and not (min(index.min(), merges.min()) >= 0 and max(index.max(), merges.max()) < count):
        raise ValueError("an index lies outside the scene")
    views = Survey(cameras, pictures, sums["weight_sum"], sums["footprint"])
    leaves = Leaves(gaussians, index, sums["leaf_footprint"], sums["leaf_clear"], len(cameras))
    tree = MergeTree(leaves, merges, _like(arrays["cost"], np.float32, (count - 1,)))
    fitted = _fitted(arrays, gaussians) if "fitted_first" in arrays else None
    return Analysis(keep, views, tree, _start(arrays["start"]), fitted)


def _start(row: np.ndarray) -> StartView:
    row = _like(row, np.float64, (7,))
    return StartView(row[:3], row[3:6], float(row[6]))


def _fitted(arrays: Arrays, gaussians: Gaussians) -> Fitted:
    first = arrays["fitted_first"]
    merged, fitted = (
        Gaussians(**{name: arrays[f"{part}_{name}"] for name in VALUES}, frame=gaussians.frame)
        for part in ("merged", "fitted")
    )
    if first.dtype != np.int32 or not 0 < len(first) == len(merged) == len(fitted) <= len(gaussians):
        raise ValueError("a fit of another scene")
    if first.min() < 0 or first.max() >= len(gaussians):
        raise ValueError("a fit names leaves outside the scene")
    mass = _like(arrays["fitted_mass"], np.float32, first.shape)
    budget_bytes, size_bytes, factor = _like(arrays["fitted_file"], np.float64, (3,))
    if not (0 < size_bytes <= budget_bytes < np.inf and 0 < factor < np.inf):
        raise ValueError(f"a fit of {size_bytes} bytes at {factor} steps")
    steps = _like(arrays["fitted_steps"], np.float64, (len(STEPS),))
    if not (np.isfinite(steps).all() and (steps > 0).all()):
        raise ValueError(f"steps {steps}")
    precision = replace(BALANCED, **dict(zip(STEPS, steps.tolist(), strict=True)))
    room = int(budget_bytes), int(size_bytes)
    return Fitted(first, mass, merged, fitted, *room, precision, float(factor))


def _like(array: np.ndarray, kind: type, shape: tuple[int, ...]) -> np.ndarray:
    if array.dtype != kind or array.shape != shape:
        raise ValueError(f"expected {kind.__name__} {shape}, found {array.dtype} {array.shape}")
    return array


def _as_row(camera: Camera) -> np.ndarray:
    """[22] float64: everything but the name."""
    numbers = (camera.fx, camera.fy, camera.cx, camera.cy, camera.width, camera.height)
    return np.concatenate([camera.camera_from_world.ravel(), np.array(numbers, np.float64)])


def _as_camera(row: np.ndarray) -> Camera:
    fx, fy, cx, cy, width, height = (float(number) for number in row[16:])
    return Camera(row[:16].reshape(4, 4), fx, fy, cx, cy, int(width), int(height))

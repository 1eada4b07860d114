"""Cuts cells until there are as many as wanted, those first where colour, light or shape change most."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from exgs.scene.interior.cells import Cells, Survey, join, unit_normals

Sunlight = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Places [n,3] and normals [n,3] in, share of full sunlight [n] out."""

_QUARTERS = ((-0.25, -0.25), (-0.25, 0.25), (0.25, -0.25), (0.25, 0.25))
_GROWTH = 0.45
_RIM_M = 0.010
_SAG_M = 0.004
_SUN_CONTRAST = 0.8


def refine(survey: Survey, cells: Cells, sunlight: Sunlight, count: int) -> tuple[Cells, np.ndarray]:
    """``count`` cells cut from ``cells``, and [count,4] their mean albedo and share of sunlight.

    More than ``count`` cells to begin with are thinned evenly.
    """
    if len(cells) > count:
        cells = cells.select(np.linspace(0, len(cells) - 1, count).astype(np.int64))
    shades, gains = judge(survey, cells, sunlight)
    while len(cells) < count:
        number = min(count - len(cells), int(_GROWTH * len(cells)) + 1)
        order = np.argsort(-gains.max(axis=1).astype(np.float32), kind="stable")
        cut, kept = order[:number], np.sort(order[number:])
        halves = cells.select(cut).halved(gains[cut].argmax(axis=1))
        new_shades, new_gains = judge(survey, halves, sunlight)
        cells = join([cells.select(kept), halves])
        shades = np.concatenate([shades[kept], new_shades])
        gains = np.concatenate([gains[kept], new_gains])
    return cells, shades


def judge(survey: Survey, cells: Cells, sunlight: Sunlight) -> tuple[np.ndarray, np.ndarray]:
    """[n,4] mean albedo and sunlight, and [n,2] what a cut across u and across v would gain."""
    places = [survey.points(cells, du, dv) for du, dv in _QUARTERS]
    spans = np.stack(
        [places[2] + places[3] - places[0] - places[1], places[1] + places[3] - places[0] - places[2]], axis=1
    )
    normals = unit_normals(spans)
    quarters = [
        np.column_stack([survey.albedo(cells, du, dv, place), sunlight(place, normals)])
        for (du, dv), place in zip(_QUARTERS, places, strict=True)
    ]
    near, left, right, far = quarters
    weight = np.array([0.33, 0.33, 0.33, _SUN_CONTRAST])
    across_u = (((near + left - right - far) / 2) ** 2 @ weight) + 0.25 * ((near - left) ** 2 @ weight)
    across_v = (((near + right - left - far) / 2) ** 2 @ weight) + 0.25 * ((near - right) ** 2 @ weight)
    size = np.linalg.norm(spans, axis=2)
    change = np.stack([across_u, across_v], axis=1) + _shape_change(survey, cells, size)
    change += 0.0003 * (size / 0.05) ** 2 * (size >= 0.6 * size[:, ::-1])
    most = np.where(survey.trait(cells, "distant") > 0, 0.001, 0.01)
    area = np.minimum(size.prod(axis=1), most)[:, None]
    return np.mean(quarters, axis=0), area * change * (size > 0.004)


def _shape_change(survey: Survey, cells: Cells, size: np.ndarray) -> np.ndarray:
    """[n,2] how badly a flat Gaussian stands for the cell: where it is bent, and at the rim of an item."""
    change = np.zeros((len(cells), 2))
    bent = np.flatnonzero(survey.curved(cells))
    curved = cells.select(bent)
    middle = survey.points(curved)
    for axis, (du, dv) in enumerate(((0.5, 0.0), (0.0, 0.5))):
        ends = survey.points(curved, du, dv) + survey.points(curved, -du, -dv)
        change[bent, axis] = 0.1 * np.minimum(np.linalg.norm(ends / 2 - middle, axis=1) / _SAG_M, 4) ** 2
    rim = cells.at_rim() & survey.rimmed(cells)
    return np.asarray(change + 0.008 * rim * np.minimum(size / _RIM_M - 1, 4).clip(0) ** 2)

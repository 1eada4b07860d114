"""Procedural paintings for the frames on the walls."""

from __future__ import annotations

import numpy as np

from exgs.scene.interior.noise import hashed, layered_noise
from exgs.scene.interior.textures import Spots

PALETTES = np.array(
    [
        [[0.93, 0.78, 0.45], [0.85, 0.42, 0.25], [0.35, 0.20, 0.33], [0.12, 0.16, 0.30]],
        [[0.95, 0.93, 0.86], [0.82, 0.16, 0.14], [0.12, 0.28, 0.62], [0.95, 0.80, 0.15]],
        [[0.86, 0.90, 0.86], [0.30, 0.56, 0.55], [0.12, 0.30, 0.38], [0.90, 0.62, 0.30]],
        [[0.94, 0.88, 0.82], [0.78, 0.45, 0.50], [0.42, 0.30, 0.52], [0.16, 0.14, 0.22]],
    ]
)
"""Four colours each, light to dark."""


def painting(spots: Spots) -> np.ndarray:
    """One of five motifs, chosen by the item's number. u runs up the picture, v across it."""
    palette = PALETTES[(spots.seed // 5) % len(PALETTES)]
    motif = spots.seed % 5
    picture = np.zeros_like(spots.color)
    for number, paint in enumerate((_dusk, _blocks, _circles, _waves, _still_life)):
        chosen = motif == number
        if chosen.any():
            picture[chosen] = paint(spots.v[chosen], spots.u[chosen], palette[chosen], spots.seed[chosen])
    strokes = layered_noise(60 * spots.v, 18 * spots.u, spots.seed, 2)
    return np.asarray(picture * (0.88 + 0.22 * strokes)[:, None])


def _dusk(x: np.ndarray, y: np.ndarray, palette: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """A low sun over ranges of hills."""
    picture = palette[:, 0] + (palette[:, 1] - palette[:, 0]) * np.clip(1.6 * y - 0.4, 0, 1)[:, None]
    sun = np.hypot(x - 0.62, y - 0.56) < 0.11
    picture = np.where(sun[:, None], np.array([1.0, 0.95, 0.8]), picture)
    for ridge in range(3):
        height = 0.52 - 0.15 * ridge + 0.16 * (layered_noise(x * (3 + ridge), 0 * x + ridge, seed) - 0.5)
        tint = palette[:, 2] * (1.1 - 0.25 * ridge) if ridge < 2 else palette[:, 3]
        picture = np.where((y < height)[:, None], tint, picture)
    return picture


def _blocks(x: np.ndarray, y: np.ndarray, palette: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """Rectangles between black bars."""
    column = np.floor(3.3 * x + 0.8 * (hashed(np.floor(2 * y), seed, 1) - 0.5))
    row = np.floor(3.6 * y + 0.7 * (hashed(column, seed, 2) - 0.5))
    pick = hashed(column, row, seed)
    index = np.where(pick < 0.5, 0, 1 + (pick * 97).astype(np.int64) % 3)
    bar_x = np.abs((3.3 * x + 0.8 * (hashed(np.floor(2 * y), seed, 1) - 0.5)) % 1.0 - 0.5) > 0.46
    bar_y = np.abs((3.6 * y + 0.7 * (hashed(column, seed, 2) - 0.5)) % 1.0 - 0.5) > 0.455
    chosen = np.take_along_axis(palette, index[:, None, None].repeat(3, axis=2), axis=1)[:, 0]
    return np.where((bar_x | bar_y)[:, None], 0.08, chosen)


def _circles(x: np.ndarray, y: np.ndarray, palette: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """A board of concentric rings."""
    column, row = np.floor(3 * x), np.floor(3 * y)
    ring = np.floor(5.2 * np.hypot(3 * x - column - 0.5, 3 * y - row - 0.5) + hashed(column, row, seed))
    index = (hashed(ring, 3 * row + column, seed + 3) * 4).astype(np.int64)
    return np.take_along_axis(palette, index[:, None, None].repeat(3, axis=2), axis=1)[:, 0]


def _waves(x: np.ndarray, y: np.ndarray, palette: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """Marbled bands."""
    flow = y + 0.35 * layered_noise(2.2 * x, 2.2 * y, seed) + 0.06 * np.sin(9 * x)
    place = (flow * 7) % 4
    index = np.minimum(place.astype(np.int64), 3)
    chosen = np.take_along_axis(palette, index[:, None, None].repeat(3, axis=2), axis=1)[:, 0]
    return np.asarray(chosen * (0.8 + 0.3 * (place % 1.0))[:, None])


def _still_life(x: np.ndarray, y: np.ndarray, palette: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """Fruit and a jug on a table."""
    wall = palette[:, 2] * (0.7 + 0.5 * x)[:, None]
    picture = np.where((y < 0.34)[:, None], palette[:, 0] * (0.6 + 0.8 * y)[:, None], wall)
    jug = np.abs(x - 0.3) < 0.06 + 0.09 * np.clip(np.sin(5.2 * (y - 0.22)), 0, 1)
    light = np.clip(1.2 - 3.2 * np.abs(x - 0.26), 0.25, 1)[:, None]
    picture = np.where((jug & (y > 0.24) & (y < 0.82))[:, None], palette[:, 3] * 0.6 + 0.45 * light, picture)
    for number, (cx, cy, radius) in enumerate(((0.55, 0.32, 0.11), (0.74, 0.3, 0.09), (0.66, 0.42, 0.09))):
        gap = np.hypot(x - cx, y - cy) / radius
        shade = np.clip(1.15 - 0.8 * np.hypot(x - cx + 0.03, y - cy - 0.04) / radius, 0.3, 1)[:, None]
        hue = palette[:, 1] if number != 1 else np.array([0.75, 0.72, 0.2])
        picture = np.where((gap < 1)[:, None], hue * shade, picture)
    return picture

"""Colours of surfaces: each function takes spots on a surface and gives their albedo as displayed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.scene.interior.noise import hashed, layered_noise, value_noise


@dataclass(frozen=True, eq=False)
class Spots:
    """n places on items of one material."""

    u: np.ndarray
    """[n] position along the item, in [0, 1]."""
    v: np.ndarray
    """[n] position across it, in [0, 1]."""
    s: np.ndarray
    """[n] the same along, in metres."""
    t: np.ndarray
    """[n] the same across, in metres."""
    place: np.ndarray
    """[n,3] where the spots are, in building coordinates."""
    color: np.ndarray
    """[n,3] main colour."""
    accent: np.ndarray
    """[n,3] second colour."""
    seed: np.ndarray
    """[n] number of the item."""


def plain(spots: Spots) -> np.ndarray:
    """Paint, porcelain, metal: nearly one colour."""
    return _shaded(spots.color, 0.97 + 0.06 * layered_noise(3 * spots.s, 3 * spots.t, spots.seed, 2))


def plaster(spots: Spots) -> np.ndarray:
    """Painted wall with the trace of the roller and a shade of dirt."""
    rough = layered_noise(9 * spots.s, 9 * spots.t, 3, 2)
    cloud = layered_noise(0.7 * spots.s, 0.7 * spots.t, 5, 2)
    return _shaded(spots.color, 0.94 + 0.03 * rough + 0.07 * cloud)


def wallpaper(spots: Spots) -> np.ndarray:
    """Broad stripes with a row of ornaments in each."""
    stripe = np.floor(spots.s / 0.22)
    across, along = spots.s / 0.22 - stripe - 0.5, (spots.t / 0.34 + 0.5 * (stripe % 2)) % 1.0 - 0.5
    round_, angle = np.hypot(across * 0.7, along), np.arctan2(along, across)
    flower = round_ < 0.17 + 0.07 * np.cos(6 * angle)
    line = np.abs(np.abs(across) - 0.47) < 0.03
    part = 0.25 * (stripe % 2) + 0.75 * flower * (round_ > 0.06) + 0.8 * line
    mixed = _mix(spots.color, spots.accent, part)
    return _shaded(mixed, 0.98 + 0.03 * value_noise(12 * spots.s, 12 * spots.t, 2))


def bricks(spots: Spots) -> np.ndarray:
    """Stretcher bond with mortar joints; every brick burnt differently."""
    row = np.floor(spots.t / 0.085)
    place = spots.s / 0.24 + 0.5 * (row % 2)
    column = np.floor(place)
    edge = np.minimum(
        0.24 * (0.5 - np.abs(place - column - 0.5)), 0.085 * (0.5 - np.abs(spots.t / 0.085 - row - 0.5))
    )
    tone = 0.72 + 0.45 * hashed(column, row, 11) + 0.2 * (layered_noise(30 * spots.s, 30 * spots.t, 4) - 0.5)
    burnt = _mix(spots.color, spots.color[:, [0, 0, 0]] * 0.75, 0.35 * hashed(column, row, 23))
    joint = edge < 0.006 + 0.004 * value_noise(20 * spots.s, 20 * spots.t, 6)
    return np.where(
        joint[:, None],
        _shaded(spots.accent, 0.9 + 0.15 * hashed(50 * spots.s, 50 * spots.t)),
        _shaded(burnt, tone),
    )


def planks(spots: Spots) -> np.ndarray:
    """Floorboards, staggered, with grain and dark gaps."""
    row = np.floor(spots.t / 0.14)
    place = spots.s / 1.3 + hashed(row, row, 31)
    board = np.floor(place)
    number = 37 * row + board
    edge = np.minimum(
        1.3 * (0.5 - np.abs(place - board - 0.5)), 0.14 * (0.5 - np.abs(spots.t / 0.14 - row - 0.5))
    )
    tone = 0.78 + 0.3 * hashed(board, row, 7) + 0.5 * _grain(spots.s, spots.t, number)
    return _shaded(spots.color, np.where(edge < 0.004, 0.35, tone))


def tiles(spots: Spots) -> np.ndarray:
    """Square tiles of two colours with grout and a bit of marbling."""
    column, row = np.floor(spots.s / 0.33), np.floor(spots.t / 0.33)
    edge = 0.33 * np.minimum(
        0.5 - np.abs(spots.s / 0.33 - column - 0.5), 0.5 - np.abs(spots.t / 0.33 - row - 0.5)
    )
    body = np.where(((column + row) % 2 == 0)[:, None], spots.color, spots.accent)
    vein = np.abs(layered_noise(5 * spots.s, 5 * spots.t, 100 * column + row) - 0.5)
    tone = 0.93 + 0.1 * hashed(column, row, 3) - 0.25 * np.exp(-60 * vein)
    return _shaded(body, np.where(edge < 0.006, 0.6, tone))


def wood(spots: Spots) -> np.ndarray:
    """Furniture wood, grain along the item."""
    return _shaded(spots.color, 0.9 + 0.55 * _grain(spots.s, spots.t, spots.seed))


def fabric(spots: Spots) -> np.ndarray:
    """Woven cloth: fine threads, soft folds of tone."""
    weave = 0.5 * np.sin(260 * spots.s) * np.sin(260 * spots.t) + hashed(
        160 * spots.s, 160 * spots.t, spots.seed
    )
    soft = layered_noise(6 * spots.s, 6 * spots.t, spots.seed, 2)
    return _shaded(spots.color, 0.84 + 0.08 * weave + 0.2 * soft)


def striped(spots: Spots) -> np.ndarray:
    """Cloth with stripes, the pattern of a cushion or a curtain."""
    stripe = ((spots.v * 7 + 0.25 * spots.seed) % 1.0) < 0.42
    return fabric(_recolored(spots, np.where(stripe[:, None], spots.accent, spots.color)))


def rug(spots: Spots) -> np.ndarray:
    """A carpet: border, rhombs, a medallion in the middle."""
    across, along = np.abs(spots.v - 0.5), np.abs(spots.u - 0.5)
    ring = np.maximum(across, along)
    rhomb = np.abs((across + along) * 9 % 1.0 - 0.5)
    middle = along / 0.34 + across / 0.26
    part = np.where(
        middle < 1, np.where((middle * 4) % 1.0 < 0.45, 0.9, 0.15), np.where(rhomb < 0.16, 0.7, 0.0)
    )
    teeth = ((spots.s * 11).astype(np.int64) + (spots.t * 11).astype(np.int64)) % 2
    part = np.where(ring > 0.42, 0.25 + 0.6 * teeth, part)
    part = np.where((ring > 0.47) | (np.abs(ring - 0.415) < 0.008), 1.0, part)
    knots = hashed(90 * spots.s, 90 * spots.t, 5)
    return _shaded(_mix(spots.color, spots.accent, part), 0.8 + 0.22 * knots)


def book(spots: Spots) -> np.ndarray:
    """A spine: title, bands near its ends, worn edges. u runs up the spine."""
    band = (np.abs(np.abs(spots.u - 0.5) - 0.38) < 0.018) | (
        np.abs(spots.u - 0.2 - 0.1 * hashed(spots.seed, spots.seed)) < 0.01
    )
    letters = hashed(spots.u * 38, spots.seed, 2) < 0.62
    title = (
        (np.abs(spots.u - 0.6) < 0.19)
        & (np.abs(spots.v - 0.5) < 0.2)
        & letters
        & (hashed(spots.seed, 0 * spots.seed, 9) < 0.75)
    )
    part = np.where(band | title, 0.85, 0.0)
    return _shaded(_mix(spots.color, spots.accent, part), 0.85 + 0.2 * np.sin(np.pi * np.clip(spots.v, 0, 1)))


def pages(spots: Spots) -> np.ndarray:
    """The cut edge of a book."""
    return _shaded(spots.color, 0.82 + 0.2 * hashed(spots.t * 900, spots.seed, 1))


def leaf(spots: Spots) -> np.ndarray:
    """A leaf: light midrib, veins, darker edge."""
    off = np.abs(spots.v - 0.5)
    vein = np.abs(((spots.u - 0.9 * off) * 9) % 1.0 - 0.5) < 0.09
    part = np.where(off < 0.05, 0.8, np.where(vein, 0.3, 0.0))
    return _shaded(_mix(spots.color, spots.accent, part), 1.08 - 0.5 * off - 0.15 * spots.u)


def stone(spots: Spots) -> np.ndarray:
    """Marble with veins that run through the body."""
    x, y, z = spots.place.T
    cloud = layered_noise(5 * x + 3 * z, 5 * y - 2 * z, 8)
    vein = np.abs(layered_noise(3 * x - 2 * y + 4 * cloud, 3 * z + 2 * y, 12) - 0.5)
    return _shaded(_mix(spots.color, spots.accent, 0.8 * np.exp(-40 * vein)), 0.93 + 0.1 * cloud)


def soil(spots: Spots) -> np.ndarray:
    """Earth in a pot."""
    return _shaded(spots.color, 0.5 + 0.9 * hashed(90 * spots.place[:, 0], 90 * spots.place[:, 2], 4))


def outdoors(spots: Spots) -> np.ndarray:
    """What the window shows: sky with clouds, hills, trees, a meadow. u runs up, v along the horizon."""
    high, far = spots.u, 0.9 * spots.t
    cloud = np.clip(layered_noise(far * 1.3, high * 9, 41) * 2.6 - 1.25, 0, 1)
    sky = _mix(
        _mix(spots.color, spots.accent, np.clip((high - 0.3) * 1.5, 0, 1)),
        np.ones_like(spots.color),
        0.85 * cloud,
    )
    hill = high < 0.33 + 0.08 * layered_noise(far * 0.7, 0 * far, 43, 2)
    near = high < 0.26 + 0.16 * layered_noise(far * 2.2, 0 * far, 47, 4) * value_noise(far * 0.9, 0 * far, 3)
    meadow = high < 0.24 + 0.02 * value_noise(far, 0 * far, 51)
    leafy = layered_noise(far * 9, high * 90, 53)
    picture = np.where(hill[:, None], np.array([0.50, 0.60, 0.66]), sky)
    picture = np.where(near[:, None], np.array([0.16, 0.32, 0.12]) * (0.55 + 1.3 * leafy)[:, None], picture)
    green = np.array([0.42, 0.55, 0.22]) * (0.75 + 0.5 * leafy)[:, None]
    return np.where(meadow[:, None], green, picture)


def lawn(spots: Spots) -> np.ndarray:
    """Grass seen from above."""
    return _shaded(spots.color, 0.75 + 0.5 * layered_noise(4 * spots.s, 4 * spots.t, 53))


def _grain(s: np.ndarray, t: np.ndarray, seed: np.ndarray) -> np.ndarray:
    """Streaks along s, in about [-0.5, 0.5]."""
    bent = t + 0.012 * value_noise(2.5 * s, 6 * t, seed)
    streaks = layered_noise(1.2 * s, 70 * bent, seed, 3) - 0.5
    rings = np.sin(240 * bent + 9 * value_noise(1.1 * s, 4 * t, seed))
    return np.asarray(0.75 * streaks + 0.09 * rings)


def _recolored(spots: Spots, color: np.ndarray) -> Spots:
    return Spots(spots.u, spots.v, spots.s, spots.t, spots.place, color, spots.accent, spots.seed)


def _mix(first: np.ndarray, second: np.ndarray, part: np.ndarray) -> np.ndarray:
    return np.asarray(first + (second - first) * part[:, None])


def _shaded(color: np.ndarray, tone: np.ndarray) -> np.ndarray:
    return np.asarray(color * tone[:, None])

"""How the compositing kernels walk a tile: 16 x 16 pixels, in blocks of 4 x 4.

A tile keeps its pixels block by block, so that one block is one vector of sixteen lanes. A Gaussian is the
quadratic q = a dx^2 + b dx dy + c dy^2 + k = log2(alpha) / 8 of the pixel: a polynomial gives 2^q, three
squarings alpha.

The list of a tile is taken in batches. A survey first tests, sixteen blocks at once, where each Gaussian
may reach alpha 1/255, and copies those that do anywhere; only then are they blended, block by block. The
two loops are apart because how many blocks there are is anyone's guess: a processor that guesses wrong
should find out at once, and not after the arithmetic of the survey. For the same reason blocks that have
become opaque are left out from the next batch on, not from the next Gaussian.

Source: the model is that of Kerbl et al. 2023.
"""

from __future__ import annotations

import numpy as np

from exgs.raster.kernel import kernel

TILE = 16
"""Side of a tile in pixels."""
BATCH = 64
"""Gaussians surveyed together."""

Arrays = tuple[np.ndarray, ...]
Range = tuple[int, int]
Frame = tuple[int, bool]
"""Tiles per row, and whether the pictures already hold what lies in front."""

_F = np.float32
_ZERO, _ONE, _HALF, _TWO, _SIDE = _F(0), _F(1), _F(0.5), _F(2), _F(3)
_MOST, OPAQUE, _SLACK = _F(0.99), _F(1e-4), _F(1e-4)
_FAINTEST = _F(-np.log2(255) / 8)
"""The q of alpha 1/255, below which nothing is drawn."""
# 2^x on [-1, 0] to 8e-8.
_E0, _E1, _E2 = _F(0.99999994), _F(0.69314224), _F(0.2401722)
_E3, _E4, _E5 = _F(0.055279724), _F(0.009188612), _F(0.00093878835)


@kernel
def blending_weight(
    conic: tuple[np.float32, ...], dx: np.float32, dy: np.float32, clear: np.float32
) -> np.float32:
    """Alpha at an offset from the centre, times ``clear``; 0 below the alpha cut and in opaque pixels."""
    a, b, c, k = conic
    q = min((a * dx + b * dy) * dx + (c * dy * dy + k), k)
    p = _E0 + q * (_E1 + q * (_E2 + q * (_E3 + q * (_E4 + q * _E5))))
    p = p * p
    p = p * p
    alpha = min(p * p, _MOST)
    return alpha * clear if (q >= _FAINTEST) & (clear >= OPAQUE) else _ZERO


@kernel
def survey(span: Range, lists: Arrays, corner: Range, live: int, near: Arrays) -> int:
    """Copies from a tile's list the Gaussians that reach one of its ``live`` blocks; returns how many.

    ``near`` takes their shapes with the centre relative to the tile's first pixel [BATCH,9], the bits of
    the blocks [BATCH], their place in the list [BATCH] and among the records [BATCH].
    The maximum of a concave quadratic over a rectangle lies at its centre, or on an edge that faces the
    centre.
    """
    entries, records = lists
    shapes, masks, places, slots = near
    left, top = _F(corner[0]) + _HALF, _F(corner[1]) + _HALF
    n = np.uint64(0)
    for e in range(span[0], span[1]):
        s = entries[e]
        u, v = records[s, 0] - left, records[s, 1] - top
        a, b, c, k = records[s, 2], records[s, 3], records[s, 4], records[s, 5]
        slope_y, slope_x = -b / (_TWO * c), -b / (_TWO * a)
        faintest = _FAINTEST - _SLACK - k
        mask = 0
        for i in range(16):
            x0, y0 = _F(4 * (i & 3)) - u, _F(4 * (i >> 2)) - v
            x1, y1 = x0 + _SIDE, y0 + _SIDE
            edge_x, edge_y = min(max(_ZERO, x0), x1), min(max(_ZERO, y0), y1)
            y, x = min(max(slope_y * edge_x, y0), y1), min(max(slope_x * edge_y, x0), x1)
            q_x = (a * edge_x + b * y) * edge_x + c * y * y
            q_y = (a * x + b * edge_y) * x + c * edge_y * edge_y
            mask |= int(max(q_x, q_y) >= faintest) << i
        shapes[n, 0], shapes[n, 1], shapes[n, 2] = u, v, a
        shapes[n, 3], shapes[n, 4], shapes[n, 5] = b, c, k
        masks[n], places[n], slots[n] = mask & live, e, s
        n += np.uint64(mask & live != 0)
    return int(n)


@kernel
def tile_state(length: int) -> np.ndarray:
    """[length] room for a tile; 1024 hold 16 blocks of 4 rows (light let through, 3 channels) of 16 pixels.

    It begins where a line of the cache does, so that a row is one line and not two halves.
    """
    room = np.empty(length + 16, np.float32)
    skip = (64 - room.ctypes.data % 64) % 64 // 4
    return room[skip : skip + length]


@kernel
def open_tile(clear: np.ndarray, resume: bool, corner: Range, state: np.ndarray) -> int:
    """Fills row 0 of ``state`` with the light that the tile's pixels still let through.

    Returns the bits of the blocks that let any through. Outside the picture there is none.
    """
    left, top = corner
    if not resume and top + TILE <= clear.shape[0] and left + TILE <= clear.shape[1]:
        for block in range(16):
            for i in range(16):
                state[64 * block + i] = _ONE
        return 0xFFFF
    load_tile(clear, corner, state, 0)
    live = 0
    for y in range(min(TILE, clear.shape[0] - top)):
        for x in range(min(TILE, clear.shape[1] - left)):
            block, i = (y >> 2) * 4 + (x >> 2), (y & 3) * 4 + (x & 3)
            if not resume:
                state[64 * block + i] = _ONE
            if state[64 * block + i] >= OPAQUE:
                live |= 1 << block
    return live


@kernel
def pack_bits(flags: np.ndarray) -> int:
    """The sixteen ``flags`` as bits."""
    bits = 0
    for i in range(16):
        bits |= flags[i] << i
    return bits


@kernel
def load_tile(picture: np.ndarray, corner: Range, state: np.ndarray, row: int) -> None:
    """Copies the tile's pixels of ``picture`` [H,W,C] to rows from ``row`` on, 0 outside the picture."""
    left, top = corner
    for y in range(TILE):
        for x in range(TILE):
            block, i = (y >> 2) * 4 + (x >> 2), (y & 3) * 4 + (x & 3)
            inside = top + y < picture.shape[0] and left + x < picture.shape[1]
            for n in range(picture.shape[2]):
                state[64 * block + 16 * (row + n) + i] = picture[top + y, left + x, n] if inside else _ZERO


@kernel
def store_tile(state: np.ndarray, row: int, corner: Range, picture: np.ndarray) -> None:
    """Copies rows from ``row`` on to the tile's pixels of ``picture`` [H,W,C]."""
    left, top = corner
    for y in range(min(TILE, picture.shape[0] - top)):
        for x in range(min(TILE, picture.shape[1] - left)):
            block, i = (y >> 2) * 4 + (x >> 2), (y & 3) * 4 + (x & 3)
            for n in range(picture.shape[2]):
                picture[top + y, left + x, n] = state[64 * block + 16 * (row + n) + i]

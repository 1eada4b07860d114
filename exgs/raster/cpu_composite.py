"""Compositing on the CPU: tiles of 16 x 16 pixels, walked in blocks of 4 x 4.

A tile keeps its pixels block by block, so that one block is one vector of sixteen lanes. For each Gaussian of the
tile's list the sixteen blocks are tested at once for whether the Gaussian reaches alpha 1/255 anywhere in them; only
the blocks that pass, and that still let light through, are composited. A Gaussian is the quadratic
q = log2(alpha) / 8 of the pixel: a polynomial gives 2^q, three squarings give alpha.

Lists may come in slices, nearest first: ``clear``, the picture of the light still let through, then carries over.
"""

from __future__ import annotations

import numpy as np

from exgs.raster.kernel import kernel, trailing_zeros

TILE = 16
"""Side of a tile in pixels."""
CHECK_EVERY = 16
"""Gaussians between two looks at which blocks have become opaque."""

Arrays = tuple[np.ndarray, ...]
Range = tuple[int, int]
Frame = tuple[int, int, int, bool]
"""Width and height in pixels, tiles per row, and whether the pictures already hold what lies in front."""

_F = np.float32
_ZERO, _HALF, _ONE, _TWO, _SIDE = _F(0), _F(0.5), _F(1), _F(2), _F(3)
_CUT, _MOST, _OPAQUE = _F(1 / 255), _F(0.99), _F(1e-4)
_FLOOR = _F(-np.log2(255) / 8 - 1e-4)
# 2^x on [-1, 0] to 8e-8.
_E0, _E1, _E2 = _F(0.99999994), _F(0.69314224), _F(0.2401722)
_E3, _E4, _E5 = _F(0.055279724), _F(0.009188612), _F(0.00093878835)


@kernel
def _reached(shape: np.ndarray, left: np.float32, top: np.float32) -> int:
    """Bits of the blocks of the tile at (left, top) in which the Gaussian may reach alpha 1/255.

    The maximum of a concave quadratic over a rectangle lies at its centre, or on an edge that faces the centre.
    """
    u, v, a, b, c, k = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]
    slope_y = -b / (_TWO * c)
    slope_x = -b / (_TWO * a)
    mask = 0
    for i in range(16):
        x0 = left + np.float32(4 * (i & 3)) + _HALF - u
        y0 = top + np.float32(4 * (i >> 2)) + _HALF - v
        x1, y1 = x0 + _SIDE, y0 + _SIDE
        edge_x, edge_y = min(max(_ZERO, x0), x1), min(max(_ZERO, y0), y1)
        y, x = min(max(slope_y * edge_x, y0), y1), min(max(slope_x * edge_y, x0), x1)
        q_x = (a * edge_x + b * y) * edge_x + c * y * y
        q_y = (a * x + b * edge_y) * x + c * edge_y * edge_y
        mask |= np.int32(max(q_x, q_y) + k >= _FLOOR) << np.int32(i)
    return mask


@kernel
def _weights(
    shape: np.ndarray, left: np.float32, top: np.float32, clear: np.ndarray, weights: np.ndarray
) -> None:
    """Blending weights [16] of one Gaussian in the block at (left, top); takes them from ``clear`` [16]."""
    u, v, a, b, c, k = shape[0], shape[1], shape[2], shape[3], shape[4], shape[5]
    x, y = left + _HALF - u, top + _HALF - v
    for i in range(16):
        dx, dy = x + np.float32(i & 3), y + np.float32(i >> 2)
        q = min((a * dx + b * dy) * dx + (c * dy * dy + k), k)
        p = _E0 + q * (_E1 + q * (_E2 + q * (_E3 + q * (_E4 + q * _E5))))
        p = p * p
        p = p * p
        alpha = min(p * p, _MOST)
        t = clear[i]
        w = alpha * t if (q >= _FLOOR) & (alpha >= _CUT) & (t >= _OPAQUE) else _ZERO
        clear[i] = t - w
        weights[i] = w


@kernel
def _live(state: np.ndarray) -> int:
    """Bits of the blocks that still let light through."""
    live = 0
    for block in range(16):
        alive = 0
        for i in range(16):
            alive |= np.int32(state[block, 0, i] >= _OPAQUE)
        live |= alive << block
    return live


@kernel
def _load(picture: np.ndarray, left: int, top: int, state: np.ndarray, row: int) -> None:
    """Copies the tile's pixels of ``picture`` [H,W,C] to rows from ``row`` on; outside the picture they are 0."""
    for y in range(TILE):
        for x in range(TILE):
            block, i = (y >> 2) * 4 + (x >> 2), (y & 3) * 4 + (x & 3)
            inside = top + y < picture.shape[0] and left + x < picture.shape[1]
            for n in range(picture.shape[2]):
                state[block, row + n, i] = picture[top + y, left + x, n] if inside else _ZERO


@kernel
def _store(state: np.ndarray, row: int, left: int, top: int, picture: np.ndarray) -> None:
    """Copies rows from ``row`` on to the tile's pixels of ``picture`` [H,W,C]."""
    for y in range(min(TILE, picture.shape[0] - top)):
        for x in range(min(TILE, picture.shape[1] - left)):
            block, i = (y >> 2) * 4 + (x >> 2), (y & 3) * 4 + (x & 3)
            for n in range(picture.shape[2]):
                picture[top + y, left + x, n] = state[block, row + n, i]


@kernel
def composite(tiles: Range, frame: Frame, lists: Arrays, splats: Arrays, pictures: Arrays) -> None:
    """Adds the Gaussians of each tile's list to the C channels of ``pictures`` (sum [H,W,C], clear [H,W,1])."""
    width, height, tiles_x, resume = frame
    starts, entries = lists
    shapes, colors = splats
    image, clear = pictures
    state = np.empty((16, 4, 16), np.float32)
    weights = np.empty(16, np.float32)
    for tile in range(tiles[0], tiles[1]):
        left, top = (tile % tiles_x) * TILE, (tile // tiles_x) * TILE
        state[:, 0], state[:, 1:] = _ONE, _ZERO
        if resume:
            _load(clear, left, top, state, 0)
            _load(image, left, top, state, 1)
        live = _live(state)
        for e in range(starts[tile], starts[tile + 1]):
            s = entries[e]
            mask = _reached(shapes[s], np.float32(left), np.float32(top)) & live
            red, green, blue = colors[s, 0], colors[s, 1], colors[s, 2]
            while mask:
                block = trailing_zeros(mask)
                mask &= mask - 1
                x, y = np.float32(left + 4 * (block & 3)), np.float32(top + 4 * (block >> 2))
                _weights(shapes[s], x, y, state[block, 0], weights)
                for i in range(16):
                    state[block, 1, i] += weights[i] * red
                    state[block, 2, i] += weights[i] * green
                    state[block, 3, i] += weights[i] * blue
            if (e - starts[tile]) % CHECK_EVERY == CHECK_EVERY - 1:
                live = _live(state)
                if live == 0:
                    break
        _store(state, 0, left, top, clear)
        _store(state, 1, left, top, image)

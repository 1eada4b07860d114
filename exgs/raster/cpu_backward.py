"""Compositing on the CPU, backwards: from the gradient of a picture to that of each Gaussian's ellipse.

``pull_shapes`` walks the tiles as the kernels of ``cpu_composite`` do, front to back: what lies behind a
Gaussian in a pixel is the whole picture less what came so far, and only its product with the gradient is
needed, one number per pixel. With w the blending weight, t the light let through behind the Gaussian and r
that number, the gradient with respect to ln(alpha) is h = w * (colour . gradient - r / t).
"""

from __future__ import annotations

import numpy as np

from exgs.raster.cpu_blocks import (
    BATCH,
    OPAQUE,
    TILE,
    Arrays,
    Frame,
    Range,
    blending_weight,
    load_tile,
    open_tile,
    pack_bits,
    store_tile,
    survey,
    tile_state,
)
from exgs.raster.kernel import kernel, trailing_zeros

MOMENTS = 9
"""Numbers per entry: sums of h, h dx, h dy, h dx^2, h dx dy, h dy^2, and of weight x gradient (3)."""

_F = np.float32
_ZERO, _FAINT = _F(0), _F(1e-7)
_CUT = _F(0.98999)
"""Alpha from which on it is cut, and no longer moves."""
_REST = 64
"""Row of the tile's state where the part of the picture that lies behind begins."""


@kernel
def pull_shapes(tiles: Range, frame: Frame, lists: Arrays, pictures: Arrays, sums: np.ndarray) -> None:
    """Sums over the tile's pixels for each entry, into ``sums`` [E,MOMENTS].

    ``pictures`` are the gradient [H,W,3], the part of picture . gradient that is not walked over yet
    [H,W,1] and the light let through [H,W,1]; the last two are carried on.
    """
    tiles_x, resume = frame
    starts, entries, records = lists
    slope, rest, clear = pictures
    state = tile_state(2048)
    shapes, masks, places = (
        np.empty((BATCH, 9), np.float32),
        np.empty(BATCH, np.int64),
        np.empty(BATCH, np.int64),
    )
    near = (shapes, masks, places, np.empty(BATCH, np.int64))
    flags = np.empty(16, np.int64)
    gathered = np.empty((MOMENTS, 16), np.float32)
    for tile in range(tiles[0], tiles[1]):
        corner = ((tile % tiles_x) * TILE, (tile // tiles_x) * TILE)
        flags[:] = 1
        live = open_tile(clear, resume, corner, state)
        load_tile(slope, corner, state, 1)
        load_tile(rest, corner, state, _REST)
        stop = starts[tile + 1]
        sums[starts[tile] : stop] = _ZERO
        for first in range(starts[tile], stop, BATCH):
            found = survey((first, min(first + BATCH, stop)), (entries, records), corner, live, near)
            for j in range(found):
                slot = near[3][j]
                conic = (shapes[j, 2], shapes[j, 3], shapes[j, 4], shapes[j, 5])
                red, green, blue = records[slot, 6], records[slot, 7], records[slot, 8]
                mask = masks[j]
                gathered[:] = _ZERO
                while mask:
                    block = trailing_zeros(mask)
                    mask &= mask - 1
                    at = 64 * block
                    x, y = _F(4 * (block & 3)) - shapes[j, 0], _F(4 * (block >> 2)) - shapes[j, 1]
                    alive = False
                    for i in range(16):
                        t = state[at + i]
                        dx, dy = x + _F(i & 3), y + _F(i >> 2)
                        w = blending_weight(conic, dx, dy, t)
                        free = w < _CUT * t
                        t -= w
                        alive |= t >= OPAQUE
                        g0, g1, g2 = state[at + 16 + i], state[at + 32 + i], state[at + 48 + i]
                        shown = red * g0 + green * g1 + blue * g2
                        behind = state[at + 1024 + i] - w * shown
                        h = w * (shown - behind / max(t, _FAINT)) if free else _ZERO
                        state[at + i] = t
                        state[at + 1024 + i] = behind
                        gathered[0, i] += h
                        gathered[1, i] += h * dx
                        gathered[2, i] += h * dy
                        gathered[3, i] += h * dx * dx
                        gathered[4, i] += h * dx * dy
                        gathered[5, i] += h * dy * dy
                        gathered[6, i] += w * g0
                        gathered[7, i] += w * g1
                        gathered[8, i] += w * g2
                    flags[block] = alive
                for n in range(MOMENTS):
                    sums[places[j], n] = gathered[n].sum()
            live &= pack_bits(flags)
            if live == 0:
                break
        store_tile(state, 0, corner, clear)
        store_tile(state, _REST, corner, rest)

"""Compositing on the CPU: colours to pictures, and back.

Three kernels walk the tiles in the same way (``cpu_blocks``): ``composite`` sums weight x colour over the
Gaussians, and weight x depth if it is asked to, ``weigh`` the weights of each Gaussian over the pixels,
``pull_back`` weight x picture, and the weights. They meet the same weights, so that the last is the exact
transpose of the first. Lists may come in slices, nearest first: ``clear``, the picture of the light still let
through, carries over.
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
from exgs.raster.kernel import bits_of_float, float_of_bits, kernel, trailing_zeros

_F = np.float32
_ZERO, _ONE = _F(0), _F(1)


@kernel
def composite(
    tiles: Range,
    frame: Frame,
    lists: Arrays,
    pictures: Arrays,
    depths: np.ndarray | None,
    distance: np.ndarray | None,
) -> None:
    """Adds each tile's list to ``pictures``: the sum [H,W,3] and the light let through [H,W,1].

    With ``depths`` [*] of the records, weight x depth goes into ``distance`` [H,W,1]; both or none. Where
    they are None the compiler leaves out what is done for them.
    """
    tiles_x, resume = frame
    starts, entries, records = lists
    image, clear = pictures
    state, far = tile_state(1024), tile_state(1024)
    shapes, masks = np.empty((BATCH, 9), np.float32), np.empty(BATCH, np.int64)
    near = (shapes, masks, np.empty(BATCH, np.int64), np.empty(BATCH, np.int64))
    flags = np.empty(16, np.int64)
    for tile in range(tiles[0], tiles[1]):
        corner = ((tile % tiles_x) * TILE, (tile // tiles_x) * TILE)
        state[:], far[:], flags[:] = _ZERO, _ZERO, 1
        live = open_tile(clear, resume, corner, state)
        if resume:
            load_tile(image, corner, state, 1)
            if distance is not None:
                load_tile(distance, corner, far, 0)
        stop = starts[tile + 1]
        for first in range(starts[tile], stop, BATCH):
            found = survey((first, min(first + BATCH, stop)), (entries, records), corner, live, near)
            for j in range(found):
                slot = near[3][j]
                shapes[j, 6], shapes[j, 7], shapes[j, 8] = (
                    records[slot, 6],
                    records[slot, 7],
                    records[slot, 8],
                )
            for j in range(found):
                conic = (shapes[j, 2], shapes[j, 3], shapes[j, 4], shapes[j, 5])
                red, green, blue = shapes[j, 6], shapes[j, 7], shapes[j, 8]
                depth = _ZERO
                if depths is not None:
                    depth = depths[near[3][j]]
                mask = masks[j]
                while mask:
                    block = trailing_zeros(mask)
                    mask &= mask - 1
                    at = 64 * block
                    x, y = _F(4 * (block & 3)) - shapes[j, 0], _F(4 * (block >> 2)) - shapes[j, 1]
                    alive = False
                    for i in range(16):
                        t = state[at + i]
                        w = blending_weight(conic, x + _F(i & 3), y + _F(i >> 2), t)
                        t -= w
                        alive |= t >= OPAQUE
                        state[at + i] = t
                        state[at + 16 + i] += w * red
                        state[at + 32 + i] += w * green
                        state[at + 48 + i] += w * blue
                        if distance is not None:
                            far[at + i] += w * depth
                    flags[block] = alive
            live &= pack_bits(flags)
            if live == 0:
                break
        store_tile(state, 0, corner, clear)
        store_tile(state, 1, corner, image)
        if distance is not None:
            store_tile(far, 0, corner, distance)


@kernel
def weigh(tiles: Range, frame: Frame, lists: Arrays, clear: np.ndarray, sums: np.ndarray) -> None:
    """Sum and largest of the blending weights of each entry over the tile's pixels, into ``sums`` [E,2]."""
    tiles_x, resume = frame
    starts, entries, records = lists
    state = tile_state(1024)
    shapes, masks, places = (
        np.empty((BATCH, 9), np.float32),
        np.empty(BATCH, np.int64),
        np.empty(BATCH, np.int64),
    )
    near = (shapes, masks, places, np.empty(BATCH, np.int64))
    flags = np.empty(16, np.int64)
    gathered = np.empty((2, 16), np.float32)
    for tile in range(tiles[0], tiles[1]):
        corner = ((tile % tiles_x) * TILE, (tile // tiles_x) * TILE)
        flags[:] = 1
        live = open_tile(clear, resume, corner, state)
        stop = starts[tile + 1]
        sums[starts[tile] : stop] = _ZERO
        for first in range(starts[tile], stop, BATCH):
            found = survey((first, min(first + BATCH, stop)), (entries, records), corner, live, near)
            for j in range(found):
                conic = (shapes[j, 2], shapes[j, 3], shapes[j, 4], shapes[j, 5])
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
                        w = blending_weight(conic, x + _F(i & 3), y + _F(i >> 2), t)
                        t -= w
                        alive |= t >= OPAQUE
                        state[at + i] = t
                        gathered[0, i] += w
                        gathered[1, i] = max(gathered[1, i], w)
                    flags[block] = alive
                most = np.int32(0)
                for i in range(16):  # floats that are not negative sort as their bits do
                    most = max(most, bits_of_float(gathered[1, i]))
                sums[places[j], 0], sums[places[j], 1] = gathered[0].sum(), float_of_bits(most)
            live &= pack_bits(flags)
            if live == 0:
                break
        store_tile(state, 0, corner, clear)


@kernel
def pull_back(tiles: Range, frame: Frame, lists: Arrays, pictures: Arrays, sums: np.ndarray) -> None:
    """Sums of weight x picture, and of the weight, of each entry over the tile's pixels: ``sums`` [E,4]."""
    tiles_x, resume = frame
    starts, entries, records = lists
    image, clear = pictures
    state = tile_state(1024)
    shapes, masks, places = (
        np.empty((BATCH, 9), np.float32),
        np.empty(BATCH, np.int64),
        np.empty(BATCH, np.int64),
    )
    near = (shapes, masks, places, np.empty(BATCH, np.int64))
    flags = np.empty(16, np.int64)
    gathered = np.empty((4, 16), np.float32)
    for tile in range(tiles[0], tiles[1]):
        corner = ((tile % tiles_x) * TILE, (tile // tiles_x) * TILE)
        flags[:] = 1
        live = open_tile(clear, resume, corner, state)
        load_tile(image, corner, state, 1)
        stop = starts[tile + 1]
        sums[starts[tile] : stop] = _ZERO
        for first in range(starts[tile], stop, BATCH):
            found = survey((first, min(first + BATCH, stop)), (entries, records), corner, live, near)
            for j in range(found):
                conic = (shapes[j, 2], shapes[j, 3], shapes[j, 4], shapes[j, 5])
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
                        w = blending_weight(conic, x + _F(i & 3), y + _F(i >> 2), t)
                        t -= w
                        alive |= t >= OPAQUE
                        state[at + i] = t
                        gathered[0, i] += w * state[at + 16 + i]
                        gathered[1, i] += w * state[at + 32 + i]
                        gathered[2, i] += w * state[at + 48 + i]
                        gathered[3, i] += w
                    flags[block] = alive
                for n in range(4):
                    sums[places[j], n] = gathered[n].sum()
            live &= pack_bits(flags)
            if live == 0:
                break
        store_tile(state, 0, corner, clear)

"""What each Gaussian gathers from the pictures: its blending weight, or weight x picture.

The walks are those of ``composite``, down the same lists and through the same weights, so that ``pull_back`` is the
exact transpose. What a Gaussian gathers in one tile is written beside its entry in that tile's list;
``sum_entries`` adds up the entries of each Gaussian, in one order whatever the number of threads.
"""

from __future__ import annotations

import numpy as np

from exgs.raster.cpu_composite import (
    CHECK_EVERY,
    TILE,
    Arrays,
    Frame,
    Range,
    _live,
    _load,
    _reached,
    _store,
    _weights,
)
from exgs.raster.kernel import kernel, trailing_zeros

_ZERO, _ONE = np.float32(0), np.float32(1)


@kernel
def weigh(
    tiles: Range, frame: Frame, lists: Arrays, shapes: np.ndarray, clear: np.ndarray, found: np.ndarray
) -> None:
    """Sum and largest of the blending weights of each entry over the tile's pixels, into ``found`` [E,2]."""
    width, height, tiles_x, resume = frame
    starts, entries = lists
    state = np.empty((16, 1, 16), np.float32)
    weights = np.empty(16, np.float32)
    for tile in range(tiles[0], tiles[1]):
        left, top = (tile % tiles_x) * TILE, (tile // tiles_x) * TILE
        state[:] = _ONE
        if resume:
            _load(clear, left, top, state, 0)
        live = _live(state)
        for e in range(starts[tile], starts[tile + 1]):
            shape = shapes[entries[e]]
            mask = _reached(shape, np.float32(left), np.float32(top)) & live
            total, most = _ZERO, _ZERO
            while mask:
                block = trailing_zeros(mask)
                mask &= mask - 1
                x, y = np.float32(left + 4 * (block & 3)), np.float32(top + 4 * (block >> 2))
                _weights(shape, x, y, state[block, 0], weights)
                for i in range(16):
                    total += weights[i]
                for i in range(16):
                    most = max(most, weights[i])
            found[e, 0], found[e, 1] = total, most
            if (e - starts[tile]) % CHECK_EVERY == CHECK_EVERY - 1:
                live = _live(state)
        _store(state, 0, left, top, clear)


@kernel
def pull_back(
    tiles: Range, frame: Frame, lists: Arrays, shapes: np.ndarray, pictures: Arrays, found: np.ndarray
) -> None:
    """Sum of weight x picture of each entry over the tile's pixels, into ``found`` [E,3]; see ``composite``."""
    width, height, tiles_x, resume = frame
    starts, entries = lists
    image, clear = pictures
    state = np.empty((16, 4, 16), np.float32)
    weights = np.empty(16, np.float32)
    for tile in range(tiles[0], tiles[1]):
        left, top = (tile % tiles_x) * TILE, (tile // tiles_x) * TILE
        state[:, 0] = _ONE
        _load(image, left, top, state, 1)
        if resume:
            _load(clear, left, top, state, 0)
        live = _live(state)
        for e in range(starts[tile], starts[tile + 1]):
            shape = shapes[entries[e]]
            mask = _reached(shape, np.float32(left), np.float32(top)) & live
            red, green, blue = _ZERO, _ZERO, _ZERO
            while mask:
                block = trailing_zeros(mask)
                mask &= mask - 1
                x, y = np.float32(left + 4 * (block & 3)), np.float32(top + 4 * (block >> 2))
                _weights(shape, x, y, state[block, 0], weights)
                for i in range(16):
                    red += weights[i] * state[block, 1, i]
                    green += weights[i] * state[block, 2, i]
                    blue += weights[i] * state[block, 3, i]
            found[e, 0], found[e, 1], found[e, 2] = red, green, blue
            if (e - starts[tile]) % CHECK_EVERY == CHECK_EVERY - 1:
                live = _live(state)
        _store(state, 0, left, top, clear)


@kernel
def sum_entries(
    span: Range, splats: Arrays, tiles_x: int, places: np.ndarray, found: np.ndarray, sums: Arrays
) -> None:
    """Takes what ``found`` [E,A+B] holds for every entry of Gaussians [begin, end) into their rows of ``sums``.

    The first A columns are added to the first of ``sums`` [N,A], the second [N,B] keeps the largest of the others.
    ``places`` [tiles] holds where the first of the Gaussians stands in each tile's list; it is used up.
    """
    rects, ids = splats
    total, most = sums
    added = total.shape[1]
    for k in range(span[0], span[1]):
        row = ids[k]
        for y in range(rects[k, 1], rects[k, 3] + 1):
            for x in range(rects[k, 0], rects[k, 2] + 1):
                e = places[y * tiles_x + x]
                places[y * tiles_x + x] = e + 1
                for n in range(added):
                    total[row, n] += found[e, n]
                for n in range(most.shape[1]):
                    most[row, n] = max(most[row, n], found[e, added + n])

"""Order on the CPU: sort by depth, list each tile's Gaussians, sum over each Gaussian's tiles.

Both sorts are stable and cut their input into consecutive ranges, one per thread: the outcome does not
depend on how many threads there are. Depths are positive, so the bits of a float32 sort as an integer
does; digits are taken from the difference to the smallest key, which for a usual scene leaves two passes
of twelve or thirteen bits.
"""

from __future__ import annotations

import numpy as np

from exgs.raster.kernel import kernel

Arrays = tuple[np.ndarray, ...]
Range = tuple[int, int]
Digit = tuple[np.uint32, np.uint32, np.uint32]
"""Smallest key, shift and mask of a digit."""


@kernel
def count_digits(parts: np.ndarray, keys: np.ndarray, digit: Digit, tally: np.ndarray) -> None:
    """Counts into ``tally`` [B] the digits of the keys in ranges ``parts`` [R,2]."""
    least, shift, mask = digit
    tally[:] = 0
    for part in range(len(parts)):
        for i in range(parts[part, 0], parts[part, 1]):
            tally[((keys[i] - least) >> shift) & mask] += 1


@kernel
def move_by_digit(
    parts: np.ndarray, source: Arrays, digit: Digit, places: np.ndarray, target: Arrays
) -> None:
    """Moves keys and values of ranges ``parts`` [R,2] to the places [B] of their digits, using them up."""
    keys, values = source
    keys_out, values_out = target
    least, shift, mask = digit
    for part in range(len(parts)):
        for i in range(parts[part, 0], parts[part, 1]):
            bucket = ((keys[i] - least) >> shift) & mask
            place = places[bucket]
            places[bucket] = place + 1
            keys_out[place] = keys[i]
            values_out[place] = values[i]


@kernel
def counts_to_places(counts: np.ndarray, starts: np.ndarray) -> None:
    """Turns counts [R,B] into first places, by bucket, then row; ``starts`` [B+1] bounds the buckets."""
    total = 0
    for bucket in range(counts.shape[1]):
        starts[bucket] = total
        for row in range(counts.shape[0]):
            found = counts[row, bucket]
            counts[row, bucket] = total
            total += found
    starts[counts.shape[1]] = total


@kernel
def take_rects(span: Range, order: np.ndarray, rects: np.ndarray, taken: np.ndarray) -> None:
    """Copies the rows of ``rects`` at ``order`` to places [begin, end) of ``taken``."""
    for k in range(span[0], span[1]):
        for n in range(4):
            taken[k, n] = rects[order[k], n]


@kernel
def count_tiles(span: Range, rects: np.ndarray, tiles_x: int, counts: np.ndarray) -> None:
    """Counts how many of Gaussians [begin, end) each tile sees."""
    counts[:] = 0
    for k in range(span[0], span[1]):
        for y in range(rects[k, 1], rects[k, 3] + 1):
            for x in range(rects[k, 0], rects[k, 2] + 1):
                counts[np.uint64(y * tiles_x + x)] += 1


@kernel
def list_tiles(span: Range, splats: Arrays, tiles_x: int, places: np.ndarray, entries: np.ndarray) -> None:
    """Writes each Gaussian of [begin, end) into the lists of the tiles it covers; ``places`` are used up."""
    order, rects = splats
    for k in range(span[0], span[1]):
        for y in range(rects[k, 1], rects[k, 3] + 1):
            for x in range(rects[k, 0], rects[k, 2] + 1):
                tile = np.uint64(y * tiles_x + x)
                place = places[tile]
                places[tile] = place + 1
                entries[np.uint64(place)] = order[k]


@kernel
def sum_entries(
    span: Range, splats: Arrays, tiles_x: int, places: np.ndarray, found: np.ndarray, sums: Arrays
) -> None:
    """Takes what ``found`` [E,A+B] holds for every entry of Gaussians [begin, end) into their rows of
    ``sums``.

    The first A columns are added to the first of ``sums`` [N,A]; the second [N,B] keeps the largest of the
    others. ``places`` are those that ``list_tiles`` began with; a Gaussian's entries are met in one order,
    whatever the number of threads.
    """
    order, rects, ids = splats
    total, most = sums
    added = total.shape[1]
    for k in range(span[0], span[1]):
        row = ids[order[k]]
        for y in range(rects[k, 1], rects[k, 3] + 1):
            for x in range(rects[k, 0], rects[k, 2] + 1):
                tile = np.uint64(y * tiles_x + x)
                place = places[tile]
                places[tile] = place + 1
                for n in range(added):
                    total[row, n] += found[place, n]
                for n in range(most.shape[1]):
                    most[row, n] = max(most[row, n], found[place, added + n])

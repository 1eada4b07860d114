"""What a splat's integers are expected to be, and in how many bits or in which context they are coded.

Used by encoder and decoder alike. Spec: docs/bitstream.md, Chunks
"""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import inlined, kernel, unsigned, wide
from exgs.codec.model import (
    CLASS,
    CLASS_FROM,
    CLASS_SLOPE,
    CLASSES,
    COEFFICIENT_CONTEXT,
    DROP_2,
    DROP_2_CONTEXT,
    DROP_3_CONTEXT,
    FINE_BELOW,
    MAX_FINE_BITS,
    MAX_SHIFT,
    NEAR,
    NEXT_NEAR,
    OPACITY,
    OPACITY_CONTEXT,
    OPACITY_LEVELS,
    OPACITY_SLOPE,
    PREDICT,
    SCALE,
    SCALE_CONTEXT,
    SHIFT_FROM,
    SHIFT_SLOPE,
    SMALL_SPLIT,
    SPLIT_CONTEXT,
    WINDOW,
    X_OPEN,
    X,
    Y,
    Z,
)

_FARTHEST = 1 << 62
"""Beyond any distance between splats."""


@kernel
def find_neighbours(codes: np.ndarray) -> None:
    """Fills NEAR and NEXT_NEAR from X, Y, Z as the splitting of cells leaves them.

    A distance and how far back it was met are one number, so that of equal distances the first is smaller.
    """
    xs, ys, zs = codes[X], codes[Y], codes[Z]
    near, next_near = codes[NEAR], codes[NEXT_NEAR]
    for index in range(codes.shape[1]):
        x, y, z = wide(xs[index]), wide(ys[index]), wide(zs[index])
        best = second = wide(_FARTHEST)
        for back in range(min(index, WINDOW)):
            other = unsigned(index - 1 - back)
            dx, dy, dz = xs[other] - x, ys[other] - y, zs[other] - z
            found = (dx * dx + dy * dy + dz * dz) * WINDOW + back
            second = min(second, max(best, found))
            best = min(best, found)
        near[index] = index - 1 - (best & WINDOW - 1) if best < _FARTHEST else -1
        next_near[index] = index - 1 - (second & WINDOW - 1) if second < _FARTHEST else -1


@kernel
def predicted(codes: np.ndarray, column: int, index: int, book: np.ndarray, pair: int) -> int:
    """Expected value of a row of ``codes``, in steps of the class of splat ``index``; scales have no class.

    It is the mean of the file, moved towards the average of the two neighbours.
    """
    mean, trust = book[PREDICT + 2 * pair], book[PREDICT + 2 * pair + 1]
    first, second = codes[NEAR, index], codes[NEXT_NEAR, index]
    graded = 0 if column == SCALE else 1
    near = other = mean
    if first >= 0:
        near = other = wide(codes[column, first]) << codes[CLASS, first] * graded
    if second >= 0:
        other = wide(codes[column, second]) << codes[CLASS, second] * graded
    return expected(near + other, mean, trust, wide(codes[CLASS, index]) * graded)


@inlined
def expected(near: int, mean: int, trust: int, level: int) -> int:
    """The prediction in steps of class ``level``; ``near`` is the sum of two neighbours, in those of class 0.

    A missing neighbour counts as the other one, and where there is none, both as the mean.
    """
    return (mean + ((near - 2 * mean) * trust >> 4) + ((1 << level) >> 1)) >> level


@kernel
def prediction_differences(codes: np.ndarray, row: int, book: np.ndarray, pair: int) -> np.ndarray:
    """[N] int64 values less what is predicted for them."""
    differences = np.empty(codes.shape[1], np.int64)
    for index in range(codes.shape[1]):
        differences[index] = codes[row, index] - predicted(codes, row, index, book, pair)
    return differences


@kernel
def opacity_contexts(top: int) -> np.ndarray:
    """[2 * top + 1] int64 context of an opacity by the sum of its two neighbours', each 0 to ``top``.

    A missing neighbour counts as the other one, and where there is none the sum as 0.
    """
    return OPACITY_CONTEXT + 4 * np.arange(2 * top + 1) // top


@kernel
def scale_contexts(codes: np.ndarray, top: int) -> np.ndarray:
    """[N] int64 contexts of the scales: quarters of the opacity."""
    contexts = np.empty(codes.shape[1], np.int64)
    for index in range(codes.shape[1]):
        contexts[index] = SCALE_CONTEXT + 4 * wide(codes[OPACITY, index]) // top
    return contexts


@kernel
def drop_2_contexts(codes: np.ndarray, mean: int) -> np.ndarray:
    """[N] int64 contexts of the first drops: the scale, from the ``mean``."""
    contexts = np.empty(codes.shape[1], np.int64)
    for index in range(codes.shape[1]):
        contexts[index] = DROP_2_CONTEXT + min(max(codes[SCALE, index] - mean + 8, 0), 15)
    return contexts


@kernel
def drop_3_contexts(codes: np.ndarray) -> np.ndarray:
    """[N] int64 contexts of the second drops: the first drop."""
    contexts = np.empty(codes.shape[1], np.int64)
    for index in range(codes.shape[1]):
        contexts[index] = DROP_3_CONTEXT + min(codes[DROP_2, index], 15)
    return contexts


@kernel
def logarithm(value: int) -> int:
    """256ths of the binary logarithm of ``value``, 1 or more, in straight lines between powers of two."""
    bits = 0
    while value >> (bits + 1):
        bits += 1
    return 256 * bits + ((value << 8) >> bits) - 256


@kernel
def lightness(codes: np.ndarray, index: int, book: np.ndarray) -> int:
    """65536ths of a class that size and opacity take away."""
    opacity = logarithm(1 + 254 * wide(codes[OPACITY, index]) // (book[OPACITY_LEVELS] - 1))
    size = 2 * wide(codes[SCALE, index]) - codes[DROP_2, index]
    return book[CLASS_SLOPE] * size + book[OPACITY_SLOPE] * opacity


@kernel
def set_classes(codes: np.ndarray, book: np.ndarray) -> None:
    """Fills CLASS from the shapes and opacities."""
    top = book[OPACITY_LEVELS] - 1
    light = np.empty(top + 1, np.int64)
    for opacity in range(top + 1):
        light[opacity] = book[OPACITY_SLOPE] * logarithm(1 + 254 * opacity // top)
    start, slope = book[CLASS_FROM], book[CLASS_SLOPE]
    for index in range(codes.shape[1]):
        size = 2 * wide(codes[SCALE, index]) - codes[DROP_2, index]
        rest = (start - slope * size - light[unsigned(codes[OPACITY, index])]) >> 16
        codes[CLASS, index] = min(max(rest, 0), CLASSES - 1)


@kernel
def fine_bits(codes: np.ndarray, book: np.ndarray) -> np.ndarray:
    """[N] int64 further bits of each log scale."""
    bits = np.empty(codes.shape[1], np.int64)
    for index in range(codes.shape[1]):
        bits[index] = min(max(book[FINE_BELOW] - codes[CLASS, index], 0), MAX_FINE_BITS)
    return bits


@kernel
def place_bits(codes: np.ndarray, axis: int, book: np.ndarray) -> np.ndarray:
    """[N] int64 raw bits of a coordinate: those left open, less those that a large splat does without."""
    bits = np.empty(codes.shape[1], np.int64)
    for index in range(codes.shape[1]):
        above = wide(codes[SCALE, index]) - book[SHIFT_FROM]
        shift = min(max((above * book[SHIFT_SLOPE]) >> 8, 0), MAX_SHIFT)
        bits[index] = max(codes[X_OPEN + axis, index] - shift, 0)
    return bits


@kernel
def open_places(codes: np.ndarray, kept: np.ndarray, book: np.ndarray) -> None:
    """Moves the means from the middles of their cells to those of what ``kept`` [3,N] raw bits leave."""
    for axis in range(3):
        bits = place_bits(codes, axis, book)
        for index in range(codes.shape[1]):
            opened = wide(codes[X_OPEN + axis, index])
            dropped = opened - bits[index]
            corner = codes[X + axis, index] - (1 << opened)
            codes[X + axis, index] = corner + (2 * wide(kept[axis, index]) << dropped) + (1 << dropped)


@kernel
def split_context(count: int) -> int:
    """Context of the split of a cell of ``count`` splats, from 2 up."""
    if count < SMALL_SPLIT:
        return SPLIT_CONTEXT + count - 2
    bits = 4
    while count >> (bits + 1):
        bits += 1
    return SPLIT_CONTEXT + 14 + min(bits - 4, 11)


@kernel
def split_raw_bits(count: int) -> int:
    """Raw bits after the sixteenth of a large cell."""
    bits, largest = 0, (count - 2) // 16
    while largest >> bits:
        bits += 1
    return bits


@kernel
def widest(x_bits: int, y_bits: int, z_bits: int) -> int:
    """The axis to split next: the one with the most bits left, the first of them on a tie."""
    if x_bits >= y_bits and x_bits >= z_bits:
        return 0
    return 1 if y_bits >= z_bits else 2


@kernel
def push_halves(stack: np.ndarray, top: int, lower: int) -> int:
    """Replaces the cell at ``top`` by its halves that hold splats, the lower one on top; gives the new top.

    A cell is a row: first splat, end of splats, bits left of x, y, z, lower corner x, y, z. The new top is
    one past the last cell.
    """
    axis = widest(stack[top, 2], stack[top, 3], stack[top, 4])
    stack[top, 2 + axis] -= 1
    middle = stack[top, 0] + lower
    if middle < stack[top, 1]:
        for column in range(8):
            stack[top + 1, column] = stack[top, column]
        stack[top, 0] = middle
        stack[top, 5 + axis] += 1 << stack[top, 2 + axis]
        top += 1
    if lower > 0:
        stack[top, 1] = middle
        top += 1
    return top


@kernel
def coefficient_context(level: int, channel: int, band: int, before: int) -> int:
    """Context of a coefficient of ``band`` 1 to 3; ``before`` is the sum of its channel's last two tokens."""
    context = 30 * (level >> 1) + (15 if channel else 0) + 5 * (band - 1)
    return COEFFICIENT_CONTEXT + context + min((before + 1) >> 1, 4)


@kernel
def band_end(band: int) -> int:
    """Number of coefficients of the bands 1 to ``band``."""
    return (band + 1) * (band + 1) - 1


@kernel
def band_of(place: int) -> int:
    """Band of the coefficient at ``place``, 0 to 14."""
    return 1 if place < 3 else (2 if place < 8 else 3)

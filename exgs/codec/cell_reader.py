"""The decoder's first pass: the splitting of cells. Mirrors ``split_cells`` of symbol_writer.py.

Every cell of a depth has the same open bits, so that a cell is its depth and its corner, three coordinates
in one integer. Splats come in order: a cell begins where the one before it ended.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.entropy.rans import next_bits, next_symbol
from exgs.codec.kernel import inlined, kernel, unsigned, wide
from exgs.codec.model import MAX_AXIS_BITS, NEXT_WORD, SMALL_SPLIT, STATE_A, STATE_B, TABLE_OF, X_OPEN, X
from exgs.codec.prediction import split_context, split_raw_bits, widest

_DEEPEST = 3 * MAX_AXIS_BITS
_COORDINATE = (1 << MAX_AXIS_BITS) - 1


@kernel
def read_cells(
    words: np.ndarray, tables: np.ndarray, book: np.ndarray, bits: np.ndarray, codes: np.ndarray
) -> bool:
    """Splits the lattice of a run of splats until every cell holds one; gives middles and open bits."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    opened, steps = _depths(bits)
    deepest = bits[0] + bits[1] + bits[2]
    stack = np.empty((_DEEPEST + 2, 3), np.int64)
    first, end, depth, corner, top = wide(0), wide(codes.shape[1]), wide(0), wide(0), wide(0)
    while first < codes.shape[1]:
        count = end - first
        if count == 1 or depth == deepest:
            for index in range(first, end):
                _write(codes, index, corner, opened[depth])
            first = end
            top -= 1
            if top >= 0:
                end, depth, corner = stack[top, 0], stack[top, 1], stack[top, 2]
            continue
        lower, a, b, at = next_symbol(words, tables, book[TABLE_OF + split_context(count)], a, b, at)
        if count >= SMALL_SPLIT:
            if lower > 16:
                lower = count if lower == 17 else count + 1
            elif lower > 0:
                lower = ((lower - 1) * (count - 1) + 15 >> 4) + 1
                rest, a, b, at = next_bits(words, split_raw_bits(count), a, b, at)
                lower = lower + rest if lower + rest < count else count + 1
        if lower > count:
            return False
        upper = corner + steps[depth]
        depth += 1
        stack[top, 0], stack[top, 1], stack[top, 2] = end, depth, upper
        top += 1 if 0 < lower < count else 0
        corner = corner if lower > 0 else upper
        end = first + lower if lower > 0 else end
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@inlined
def _depths(bits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[depths, 3] open bits of the cells of each depth, [depths] from a corner to that of the upper half."""
    opened, steps = np.zeros((_DEEPEST + 1, 3), np.int64), np.zeros(_DEEPEST + 1, np.int64)
    opened[0] = bits
    for depth in range(bits[0] + bits[1] + bits[2]):
        axis = widest(opened[depth, 0], opened[depth, 1], opened[depth, 2])
        opened[depth + 1] = opened[depth]
        opened[depth + 1, axis] -= 1
        steps[depth] = wide(1) << (MAX_AXIS_BITS * axis + opened[depth + 1, axis])
    return opened, steps


@inlined
def _write(codes: np.ndarray, index: int, corner: int, opened: np.ndarray) -> None:
    """The middle of a cell, in half steps, and its open bits."""
    for axis in range(3):
        codes[X_OPEN + axis, unsigned(index)] = opened[axis]
        low = corner >> MAX_AXIS_BITS * axis & _COORDINATE
        codes[X + axis, unsigned(index)] = 2 * low + (wide(1) << opened[axis])

"""Integers to symbols: the encoder's passes through a chunk. Mirrors symbols_out.py pass by pass."""

from __future__ import annotations

import numpy as np
from numba import njit

from exgs.codec.entropy.rans import wide
from exgs.codec.model import (
    BAND,
    BAND_CONTEXT,
    CHROMA_G,
    CHROMA_G_CONTEXT,
    CHROMA_O,
    CHROMA_O_CONTEXT,
    CLASS,
    CLASS_CONTEXT,
    DIRECT,
    DROP_2,
    DROP_2_CONTEXT,
    DROP_3,
    DROP_3_CONTEXT,
    FACE,
    FACE_CONTEXT,
    LUMA,
    LUMA_CONTEXT,
    MASK,
    MASK_CONTEXT,
    NEAR,
    OPACITY,
    OPACITY_CONTEXT,
    POLE_BITS,
    POLE_CONTEXT,
    POLE_U,
    POLE_V,
    SCALE,
    SCALE_CONTEXT,
    SH,
    SH_BANDS,
    SMALL_SPLIT,
    SPIN,
    SPIN_BITS,
    SPLIT_CONTEXT,
    X_OPEN,
    X,
    band_end,
    band_of,
    coefficient_context,
    guessed_pole,
    pole_guide,
    position_shift,
    predicted,
    prolate,
    push_halves,
    split_context,
    split_raw_bits,
    widest,
)

USED = 0
"""Place of the book where the number of events is kept, in place of a decoder's state."""


@njit(nogil=True, cache=True)
def split_cells(
    cells: np.ndarray, bits: np.ndarray, codes: np.ndarray, events: np.ndarray, book: np.ndarray
) -> None:
    """Splits the lattice of a run of splats and writes the events.

    ``cells`` [N,3] int64 lattice coordinates in the order of ``curve``, ``bits`` [3] of each axis. Fills the
    middles of the cells and the bits left open in ``codes``.
    """
    stack = np.zeros((72, 8), np.int64)
    stack[0, 1] = len(cells)
    stack[0, 2], stack[0, 3], stack[0, 4] = bits[0], bits[1], bits[2]
    top = 1 if len(cells) > 0 else 0
    while top > 0:
        top -= 1
        first, end = stack[top, 0], stack[top, 1]
        if end - first == 1 or stack[top, 2] + stack[top, 3] + stack[top, 4] == 0:
            for index in range(first, end):
                for axis in range(3):
                    codes[X_OPEN + axis, index] = stack[top, 2 + axis]
                    codes[X + axis, index] = 2 * stack[top, 5 + axis] + (1 << stack[top, 2 + axis])
            continue
        axis = widest(stack[top, 2], stack[top, 3], stack[top, 4])
        lower = _count_lower(cells, first, end, axis, stack[top, 2 + axis] - 1)
        _split(events, book, end - first, lower)
        top = push_halves(stack, top, lower)


@njit(nogil=True, cache=True)
def write_events(cells: np.ndarray, codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    """Writes the events of all passes after the splitting of cells, and the final means to ``codes``."""
    _classes(codes, events, book)
    _predicted(codes, events, book, (SCALE, 0, SCALE_CONTEXT))
    _shapes(codes, events, book)
    _places(cells, codes, events, book)
    _predicted(codes, events, book, (LUMA, 1, LUMA_CONTEXT))
    _predicted(codes, events, book, (CHROMA_O, 2, CHROMA_O_CONTEXT))
    _predicted(codes, events, book, (CHROMA_G, 3, CHROMA_G_CONTEXT))
    _turns(codes, events, book)
    if book[SH_BANDS] > 0:
        _harmonics(codes, events, book)


@njit(nogil=True, cache=True)
def curve(cells: np.ndarray, bits: np.ndarray) -> np.ndarray:
    """[N] uint64 place of each cell along the order in which ``split_cells`` visits them."""
    keys = np.zeros(len(cells), np.uint64)
    rest = bits.copy()
    for _ in range(bits.sum()):
        axis = widest(rest[0], rest[1], rest[2])
        rest[axis] -= 1
        for index in range(len(cells)):
            bit = (cells[index, axis] >> rest[axis]) & 1
            keys[index] = keys[index] << np.uint64(1) | np.uint64(bit)
    return keys


@njit(nogil=True, cache=True)
def _count_lower(cells: np.ndarray, first: int, end: int, axis: int, bit: int) -> int:
    lower, upper = first, end
    while lower < upper:
        middle = (lower + upper) >> 1
        if (cells[middle, axis] >> bit) & 1:
            upper = middle
        else:
            lower = middle + 1
    return lower - first


@njit(nogil=True, cache=True)
def _symbol(events: np.ndarray, book: np.ndarray, context: int, symbol: int) -> None:
    events[book[USED]] = context | symbol << 10 | 1 << 21
    book[USED] += 1


@njit(nogil=True, cache=True)
def _bits(events: np.ndarray, book: np.ndarray, owner: int, value: int, count: int) -> None:
    """Up to 32 raw bits, the low 16 first; ``owner`` is the context they are counted under."""
    if count > 0:
        events[book[USED]] = owner | min(count, 16) << 16 | (value & 0xFFFF) << 32
        book[USED] += 1
    if count > 16:
        events[book[USED]] = owner | (count - 16) << 16 | (value >> 16) << 32
        book[USED] += 1


@njit(nogil=True, cache=True)
def _value(events: np.ndarray, book: np.ndarray, context: int, value: int) -> None:
    if value < DIRECT:
        _symbol(events, book, context, value)
        return
    top = 4
    while value >> (top + 1):
        top += 1
    _symbol(events, book, context, DIRECT + 2 * (top - 4) + ((value >> (top - 1)) & 1))
    _bits(events, book, context, value & ((1 << (top - 1)) - 1), top - 1)


@njit(nogil=True, cache=True)
def _signed(events: np.ndarray, book: np.ndarray, context: int, value: int) -> None:
    _value(events, book, context, -2 * value - 1 if value < 0 else 2 * value)


@njit(nogil=True, cache=True)
def _split(events: np.ndarray, book: np.ndarray, count: int, lower: int) -> None:
    context = split_context(count)
    if count < SMALL_SPLIT:
        _symbol(events, book, context, lower)
    elif lower == 0 or lower == count:
        _symbol(events, book, context, 17 if lower else 0)
    else:
        part = (lower - 1) * 16 // (count - 1)
        begin = (part * (count - 1) + 15) // 16
        _symbol(events, book, context, part + 1)
        _bits(events, book, context, lower - 1 - begin, split_raw_bits(count))


@njit(nogil=True, cache=True)
def _classes(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        near = codes[NEAR, index]
        context = CLASS_CONTEXT + (codes[CLASS, near] if near >= 0 else 0)
        _symbol(events, book, context, codes[CLASS, index])


@njit(nogil=True, cache=True)
def _predicted(codes: np.ndarray, events: np.ndarray, book: np.ndarray, which: tuple[int, int, int]) -> None:
    row, pair, context = which
    for index in range(codes.shape[1]):
        difference = codes[row, index] - predicted(codes, row, index, book, pair)
        _signed(events, book, context + codes[CLASS, index], difference)


@njit(nogil=True, cache=True)
def _shapes(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        level, drop_2 = codes[CLASS, index], codes[DROP_2, index]
        _value(events, book, DROP_2_CONTEXT + level, drop_2)
        _value(events, book, DROP_3_CONTEXT + 4 * level + min(drop_2, 3), codes[DROP_3, index])
        _value(events, book, OPACITY_CONTEXT + level, codes[OPACITY, index])


@njit(nogil=True, cache=True)
def _places(cells: np.ndarray, codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    for index in range(len(cells)):
        shift = position_shift(codes, index, book)
        for axis in range(3):
            opened = wide(codes[X_OPEN + axis, index])
            bits = max(opened - shift, 0)
            kept = cells[index, axis] >> (opened - bits)
            _bits(events, book, SPLIT_CONTEXT, kept & ((1 << bits) - 1), bits)
            codes[X + axis, index] = 2 * (kept << (opened - bits)) + (1 << (opened - bits))


@njit(nogil=True, cache=True)
def _turns(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        bits = codes[POLE_BITS, index]
        if bits >= 0:
            guide, kind = pole_guide(codes, index), prolate(codes, index)
            known = 1 + codes[FACE, guide] if guide >= 0 else 0
            face = codes[FACE, index]
            _symbol(events, book, FACE_CONTEXT + 4 * kind + known, face)
            near = face + 1 == known and bits > 0
            for row in range(POLE_U, POLE_V + 1):
                if near:
                    half = 1 << (bits - 1)
                    guess = guessed_pole(codes[row, guide], codes[POLE_BITS, guide], bits)
                    wrapped = ((codes[row, index] - guess + half) & ((1 << bits) - 1)) - half
                    _signed(events, book, POLE_CONTEXT + 7 * kind + min(bits, 7) - 1, wrapped)
                else:
                    _bits(events, book, FACE_CONTEXT, codes[row, index], bits)
        _bits(events, book, FACE_CONTEXT, codes[SPIN, index], codes[SPIN_BITS, index])


@njit(nogil=True, cache=True)
def _harmonics(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        near = codes[NEAR, index]
        band, mask = (codes[BAND, near], codes[MASK, near]) if near >= 0 else (0, 0)
        top = codes[BAND, index]
        _symbol(events, book, BAND_CONTEXT + 4 * (codes[CLASS, index] >> 1) + band, top)
        if top == 0:
            continue
        _symbol(events, book, MASK_CONTEXT + mask, codes[MASK, index])
        for channel in range(3):
            before = wide(0)
            for place in range(band_end(top) if (codes[MASK, index] >> channel) & 1 else 0):
                value = wide(codes[SH + 3 * place + channel, index])
                _signed(events, book, coefficient_context(channel, band_of(place), before), value)
                before = value

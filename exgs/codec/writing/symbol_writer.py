"""Integers to symbols: the encoder's passes through a chunk. Mirrors symbol_reader.py pass by pass."""

from __future__ import annotations

import numpy as np

from exgs.codec.entropy.events import raw_event, symbol_event
from exgs.codec.kernel import kernel, wide
from exgs.codec.model import (
    BAND,
    BAND_CONTEXT,
    CHROMA_G,
    CHROMA_G_CONTEXT,
    CHROMA_O,
    CHROMA_O_CONTEXT,
    CLASS,
    DIRECT,
    DROP_2,
    DROP_3,
    FACE,
    FACE_CONTEXT,
    FINE,
    GUIDE,
    LUMA,
    LUMA_CONTEXT,
    MASK,
    MASK_CONTEXT,
    MAX_AXIS_BITS,
    NEAR,
    NEXT_NEAR,
    OPACITY,
    OPACITY_LEVELS,
    POLE_BITS,
    POLE_U,
    POLE_V,
    PREDICT,
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
)
from exgs.codec.prediction import (
    band_end,
    band_of,
    coefficient_context,
    drop_2_contexts,
    drop_3_contexts,
    fine_bits,
    opacity_contexts,
    open_places,
    place_bits,
    prediction_differences,
    push_halves,
    scale_contexts,
    split_context,
    split_raw_bits,
    widest,
)
from exgs.codec.tokens import folded, further_bits, token_of
from exgs.codec.turns import guess_differences, near_poles, prolate, set_turn_bits

USED = 0
"""Place of the book where the number of events is kept, in place of a decoder's state."""


@kernel
def split_cells(
    cells: np.ndarray, bits: np.ndarray, codes: np.ndarray, events: np.ndarray, book: np.ndarray
) -> None:
    """Splits the lattice of a run of splats and writes the events.

    ``cells`` [N,3] int64 lattice coordinates in the order of ``curve``, ``bits`` [3] of each axis. Fills the
    middles of the cells and the bits left open in ``codes``.
    """
    stack = np.zeros((3 * MAX_AXIS_BITS + 2, 8), np.int64)
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


def write_events(cells: np.ndarray, codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    """Writes the events of all passes after the splitting of cells, and the final means to ``codes``."""
    level = codes[CLASS].astype(np.int64)
    top = int(book[OPACITY_LEVELS]) - 1
    _opacities(codes, events, book)
    differences = prediction_differences(codes, SCALE, book, 0)
    _values(events, book, scale_contexts(codes, top), _all_folded(differences))
    _values(events, book, drop_2_contexts(codes, book[PREDICT]), codes[DROP_2])
    _values(events, book, drop_3_contexts(codes), codes[DROP_3])
    bits = fine_bits(codes, book)
    for row in range(FINE, FINE + 3):
        _raw(events, book, SCALE_CONTEXT, bits, codes[row])
    _places(cells, codes, events, book)
    for pair, (row, context) in enumerate(_COLOURS):
        differences = prediction_differences(codes, row, book, pair + 1)
        _values(events, book, context + level, _all_folded(differences))
    _turns(codes, events, book)
    if book[SH_BANDS] > 0:
        _bands(codes, events, book)
        _harmonics(codes, events, book)


_COLOURS = ((LUMA, LUMA_CONTEXT), (CHROMA_O, CHROMA_O_CONTEXT), (CHROMA_G, CHROMA_G_CONTEXT))


def _places(cells: np.ndarray, codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    kept = np.empty((3, codes.shape[1]), np.int32)
    for axis in range(3):
        bits = place_bits(codes, axis, book)
        kept[axis] = (cells[:, axis] >> (codes[X_OPEN + axis] - bits)) & ((1 << bits) - 1)
        _raw(events, book, SPLIT_CONTEXT, bits, kept[axis])
    open_places(codes, kept, book)


def _turns(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    set_turn_bits(codes, book)
    _faces(codes, events, book)
    near, contexts, far_bits = near_poles(codes)
    for row in (POLE_U, POLE_V):
        _raw(events, book, FACE_CONTEXT, far_bits, codes[row])
        _values(events, book, contexts, _all_folded(guess_differences(codes, row, near)))
    _raw(events, book, FACE_CONTEXT, codes[SPIN_BITS].astype(np.int64), codes[SPIN])


def _all_folded(values: np.ndarray) -> np.ndarray:
    """[N] int32 ``folded`` of each of ``values``."""
    return np.where(values < 0, -2 * values - 1, 2 * values).astype(np.int32)


@kernel
def _values(events: np.ndarray, book: np.ndarray, contexts: np.ndarray, values: np.ndarray) -> None:
    """First the tokens of all ``values``, then the raw bits of those that have any."""
    for index in range(len(values)):
        _symbol(events, book, contexts[index], token_of(values[index]))
    for index in range(len(values)):
        _further(events, book, contexts[index], wide(values[index]))


@kernel
def _further(events: np.ndarray, book: np.ndarray, owner: int, value: int) -> None:
    """The raw bits that follow the token of ``value``, where it has any."""
    if value >= DIRECT:
        bits = further_bits(token_of(value))
        _bits(events, book, owner, value & ((1 << bits) - 1), bits)


@kernel
def _raw(events: np.ndarray, book: np.ndarray, owner: int, counts: np.ndarray, values: np.ndarray) -> None:
    for index in range(len(counts)):
        _bits(events, book, owner, wide(values[index]), counts[index])


@kernel
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


@kernel
def _count_lower(cells: np.ndarray, first: int, end: int, axis: int, bit: int) -> int:
    lower, upper = first, end
    while lower < upper:
        middle = (lower + upper) >> 1
        if (cells[middle, axis] >> bit) & 1:
            upper = middle
        else:
            lower = middle + 1
    return lower - first


@kernel
def _symbol(events: np.ndarray, book: np.ndarray, context: int, symbol: int) -> None:
    events[book[USED]] = symbol_event(context, symbol)
    book[USED] += 1


@kernel
def _bits(events: np.ndarray, book: np.ndarray, owner: int, value: int, count: int) -> None:
    """Up to 32 raw bits, the low 16 first; ``owner`` is the context they are counted under."""
    if count > 0:
        events[book[USED]] = raw_event(owner, value & 0xFFFF, min(count, 16))
        book[USED] += 1
    if count > 16:
        events[book[USED]] = raw_event(owner, value >> 16, count - 16)
        book[USED] += 1


@kernel
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


@kernel
def _opacities(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    contexts = opacity_contexts(book[OPACITY_LEVELS] - 1)
    for index in range(codes.shape[1]):
        first, second = codes[NEAR, index], codes[NEXT_NEAR, index]
        other = second if second >= 0 else first
        context = contexts[codes[OPACITY, first] + codes[OPACITY, other] if first >= 0 else 0]
        value = wide(codes[OPACITY, index])
        _symbol(events, book, context, token_of(value))
        _further(events, book, context, value)


@kernel
def _faces(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        if codes[POLE_BITS, index] >= 0:
            guide = codes[GUIDE, index]
            context = 4 * prolate(codes, index) + (1 + codes[FACE, guide] if guide >= 0 else 0)
            _symbol(events, book, FACE_CONTEXT + context, codes[FACE, index])


@kernel
def _bands(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        near = codes[NEAR, index]
        band, mask = (codes[BAND, near], codes[MASK, near]) if near >= 0 else (0, 0)
        _symbol(events, book, BAND_CONTEXT + 4 * (codes[CLASS, index] >> 1) + band, codes[BAND, index])
        if codes[BAND, index] > 0:
            _symbol(events, book, MASK_CONTEXT + mask, codes[MASK, index])


@kernel
def _harmonics(codes: np.ndarray, events: np.ndarray, book: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        for channel in range(3):
            token = before = wide(0)
            for place in range(band_end(codes[BAND, index]) if (codes[MASK, index] >> channel) & 1 else 0):
                context = coefficient_context(codes[CLASS, index], channel, band_of(place), token + before)
                before = token
                token = token_of(folded(wide(codes[SH + 3 * place + channel, index])))
                _symbol(events, book, context, token)
    for index in range(codes.shape[1]):
        for row in range(SH, SH + 3 * band_end(codes[BAND, index])):
            _further(events, book, BAND_CONTEXT, folded(wide(codes[row, index])))

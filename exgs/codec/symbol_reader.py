"""Bytes to integers: the decoder's passes through a chunk. Mirrors symbol_writer.py pass by pass.

Each pass keeps the two states of the entropy coder in registers: they come from the book and go back into it.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.entropy.rans import LOWEST, next_bits, next_symbol
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
    MAX_DROP,
    NEAR,
    NEXT_WORD,
    OPACITY,
    OPACITY_LEVELS,
    POLE_BITS,
    POLE_U,
    POLE_V,
    PREDICT,
    SCALE,
    SH,
    SH_BANDS,
    SMALL_SPLIT,
    SPIN,
    SPIN_BITS,
    STATE_A,
    STATE_B,
    TABLE_OF,
    X_OPEN,
    X,
)
from exgs.codec.prediction import (
    band_end,
    band_of,
    coefficient_context,
    drop_2_contexts,
    drop_3_contexts,
    find_neighbours,
    fine_bits,
    opacity_contexts,
    open_places,
    place_bits,
    push_halves,
    scale_contexts,
    set_classes,
    split_context,
    split_raw_bits,
    unfolded,
)
from exgs.codec.restoring import add_colour_predictions, add_scale_predictions
from exgs.codec.turns import add_guesses, near_poles, prolate, set_turn_bits

DONE, BAD_END, BAD_SYMBOL = 0, 15, 16
"""What ``decode_symbols`` gives: nothing amiss, or the number of the broken rule."""

_COLOURS = ((LUMA, LUMA_CONTEXT), (CHROMA_O, CHROMA_O_CONTEXT), (CHROMA_G, CHROMA_G_CONTEXT))


def decode_symbols(
    words: np.ndarray,
    tables: np.ndarray,
    book: np.ndarray,
    shape: tuple[np.ndarray, np.ndarray],
    codes: np.ndarray,
) -> int:
    """Fills ``codes`` [rows, N] int32 of zeros from ``words`` [M] uint16; gives a broken rule or DONE.

    M is at least 4; ``shape``: int64 splats of each run, and the bits [3] of x, y and z.
    """
    low, high = words[0:4:2].astype(np.int64), words[1:4:2].astype(np.int64)
    book[STATE_A], book[STATE_B] = low | high << 16
    book[NEXT_WORD] = 4
    runs, bits = shape
    ends = runs.cumsum()
    for first, end in zip(ends - runs, ends, strict=True):
        if not _cells(words, tables, book, bits, codes[:, first:end]):
            return BAD_SYMBOL
    find_neighbours(codes)
    sound = _shapes(words, tables, book, codes)
    if not sound:
        return BAD_SYMBOL
    _places(words, book, codes)
    for row, context in _COLOURS:
        _values(words, tables, book, book[TABLE_OF + context + codes[CLASS]], codes[row])
    sound = add_colour_predictions(codes, book)
    sound = sound and _turns(words, tables, book, codes)
    if book[SH_BANDS] > 0:
        sound = sound and _bands(words, tables, book, codes) and _harmonics(words, tables, book, codes)
    if not sound:
        return BAD_SYMBOL
    clean = book[NEXT_WORD] == len(words) and book[STATE_A] == LOWEST and book[STATE_B] == LOWEST
    return DONE if clean else BAD_END


def _shapes(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    """Class, log scales and opacity."""
    if not _opacities(words, tables, book, codes):
        return False
    table_of, top = book[TABLE_OF:], int(book[OPACITY_LEVELS]) - 1
    _values(words, tables, book, table_of[scale_contexts(codes, top)], codes[SCALE])
    if not add_scale_predictions(codes, book):
        return False
    _values(words, tables, book, table_of[drop_2_contexts(codes, book[PREDICT])], codes[DROP_2])
    _values(words, tables, book, table_of[drop_3_contexts(codes)], codes[DROP_3])
    set_classes(codes, book)
    bits = fine_bits(codes, book)
    for row in range(FINE, FINE + 3):
        _raw(words, book, bits, codes[row])
    return bool(codes[DROP_2 : DROP_3 + 1].max() <= MAX_DROP)


def _places(words: np.ndarray, book: np.ndarray, codes: np.ndarray) -> None:
    """The open bits of the means, but for those that a splat of this size does without."""
    kept = np.zeros((3, codes.shape[1]), np.int32)
    for axis in range(3):
        _raw(words, book, place_bits(codes, axis, book), kept[axis])
    open_places(codes, kept, book)


def _turns(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    """The pole and the spin, with as many bits as the shape of the splat makes visible."""
    set_turn_bits(codes, book)
    if not _faces(words, tables, book, codes):
        return False
    near, contexts, far_bits = near_poles(codes)
    folded = np.empty(len(near), np.int32)
    for row in (POLE_U, POLE_V):
        _raw(words, book, far_bits, codes[row])
        _values(words, tables, book, book[TABLE_OF + contexts], folded)
        add_guesses(codes, row, near, folded)
    _raw(words, book, codes[SPIN_BITS].astype(np.int64), codes[SPIN])
    return True


@kernel
def _values(
    words: np.ndarray, tables: np.ndarray, book: np.ndarray, rows: np.ndarray, out: np.ndarray
) -> None:
    """A value for each of ``rows``, the tables: first all tokens, then the raw bits that some have."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(len(rows)):
        out[index], a, b, at = next_symbol(words, tables, rows[index], a, b, at)
    for index in range(len(rows)):
        extra = wide(out[index]) - DIRECT
        if extra >= 0:
            bits = (extra >> 1) + 3
            low, a, b, at = next_bits(words, bits, a, b, at)
            out[index] = (2 + (extra & 1)) << bits | low
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at


@kernel
def _raw(words: np.ndarray, book: np.ndarray, counts: np.ndarray, out: np.ndarray) -> None:
    """Raw bits, as many as ``counts`` says, the low 16 first; where there are none, ``out`` stays."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(len(counts)):
        bits = counts[index]
        if bits > 0:
            low, a, b, at = next_bits(words, min(bits, 16), a, b, at)
            if bits > 16:
                high, a, b, at = next_bits(words, bits - 16, a, b, at)
                low |= high << 16
            out[index] = low
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at


@kernel
def _cells(
    words: np.ndarray, tables: np.ndarray, book: np.ndarray, bits: np.ndarray, codes: np.ndarray
) -> bool:
    """Splits the lattice of a run of splats until every cell holds one; gives middles and open bits."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    stack = np.zeros((72, 8), np.int64)
    stack[0, 1] = codes.shape[1]
    stack[0, 2], stack[0, 3], stack[0, 4] = bits[0], bits[1], bits[2]
    top = 1 if codes.shape[1] > 0 else 0
    while top > 0:
        top -= 1
        count = stack[top, 1] - stack[top, 0]
        if count == 1 or stack[top, 2] + stack[top, 3] + stack[top, 4] == 0:
            for index in range(stack[top, 0], stack[top, 1]):
                for axis in range(3):
                    codes[X_OPEN + axis, index] = stack[top, 2 + axis]
                    codes[X + axis, index] = 2 * stack[top, 5 + axis] + (1 << stack[top, 2 + axis])
            continue
        lower, a, b, at = next_symbol(words, tables, book[TABLE_OF + split_context(count)], a, b, at)
        if count >= SMALL_SPLIT:
            if lower > 16:
                lower = count if lower == 17 else count + 1
            elif lower > 0:
                lower = ((lower - 1) * (count - 1) + 15) // 16 + 1
                rest, a, b, at = next_bits(words, split_raw_bits(count), a, b, at)
                lower = lower + rest if lower + rest < count else count + 1
        if lower > count:
            return False
        top = push_halves(stack, top, lower)
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@kernel
def _opacities(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    top = book[OPACITY_LEVELS] - 1
    for index in range(codes.shape[1]):
        table = book[TABLE_OF + opacity_contexts(codes, index, top)]
        value, a, b, at = next_symbol(words, tables, table, a, b, at)
        if value >= DIRECT:
            bits = ((value - DIRECT) >> 1) + 3
            low, a, b, at = next_bits(words, bits, a, b, at)
            value = (2 + ((value - DIRECT) & 1)) << bits | low
        if value > top:
            return False
        codes[OPACITY, index] = value
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@kernel
def _faces(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        if codes[POLE_BITS, index] >= 0:
            guide = codes[GUIDE, index]
            context = 4 * prolate(codes, index) + (1 + codes[FACE, guide] if guide >= 0 else 0)
            face, a, b, at = next_symbol(words, tables, book[TABLE_OF + FACE_CONTEXT + context], a, b, at)
            if face > 2:
                return False
            codes[FACE, index] = face
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@kernel
def _bands(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    """The highest band of every splat and, where there is one, its channels."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        near = codes[NEAR, index]
        band, mask = (codes[BAND, near], codes[MASK, near]) if near >= 0 else (0, 0)
        context = BAND_CONTEXT + 4 * (codes[CLASS, index] >> 1) + band
        top, a, b, at = next_symbol(words, tables, book[TABLE_OF + context], a, b, at)
        codes[BAND, index] = top
        if top > book[SH_BANDS]:
            return False
        if top > 0:
            channels, a, b, at = next_symbol(words, tables, book[TABLE_OF + MASK_CONTEXT + mask], a, b, at)
            codes[MASK, index] = channels
            if channels == 0 or channels > 7:
                return False
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@kernel
def _harmonics(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        for channel in range(3):
            token = before = wide(0)
            for place in range(band_end(codes[BAND, index]) if (codes[MASK, index] >> channel) & 1 else 0):
                context = coefficient_context(codes[CLASS, index], channel, band_of(place), token + before)
                before = token
                token, a, b, at = next_symbol(words, tables, book[TABLE_OF + context], a, b, at)
                codes[SH + 3 * place + channel, index] = token
    for index in range(codes.shape[1]):
        for row in range(SH, SH + 3 * band_end(codes[BAND, index])):
            value = wide(codes[row, index])
            if value >= DIRECT:
                bits = ((value - DIRECT) >> 1) + 3
                low, a, b, at = next_bits(words, bits, a, b, at)
                value = (2 + ((value - DIRECT) & 1)) << bits | low
            codes[row, index] = unfolded(value)
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True

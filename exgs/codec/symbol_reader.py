"""Bytes to integers: the decoder's passes through a chunk. Mirrors symbol_writer.py pass by pass.

Each pass keeps the two states of the entropy coder in registers: they come from the book and go back into it.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.cell_reader import read_cells
from exgs.codec.entropy.rans import LOWEST, next_bits, next_symbol
from exgs.codec.kernel import inlined, kernel, unsigned, wide
from exgs.codec.model import (
    BAND,
    BAND_CONTEXT,
    CHROMA_G,
    CLASS,
    CLASSES,
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
    SPIN,
    SPIN_BITS,
    STATE_A,
    STATE_B,
    TABLE_OF,
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
    scale_contexts,
    set_classes,
)
from exgs.codec.restoring import add_colour_predictions, add_scale_predictions, places_of_two
from exgs.codec.tokens import further_bits, unfolded
from exgs.codec.turns import add_guesses, near_poles, prolate, set_turn_bits

DONE, BAD_END, BAD_SYMBOL = 0, 15, 16
"""What ``decode_symbols`` gives: nothing amiss, or the number of the broken rule."""


@kernel
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
    book[STATE_A] = wide(words[0]) | wide(words[1]) << 16
    book[STATE_B] = wide(words[2]) | wide(words[3]) << 16
    book[NEXT_WORD] = 4
    runs, bits = shape
    first = 0
    for count in runs:
        if not read_cells(words, tables, book, bits, codes[:, first : first + count]):
            return BAD_SYMBOL
        first += count
    find_neighbours(codes)
    if not _shapes(words, tables, book, codes):
        return BAD_SYMBOL
    _places(words, book, codes)
    for row in range(LUMA, CHROMA_G + 1):
        first_context = LUMA_CONTEXT + CLASSES * (row - LUMA)
        _values(words, tables, book, first_context + codes[CLASS].astype(np.int64), codes[row])
    if not add_colour_predictions(codes, book) or not _turns(words, tables, book, codes):
        return BAD_SYMBOL
    if book[SH_BANDS] > 0:
        if not _bands(words, tables, book, codes):
            return BAD_SYMBOL
        _harmonics(words, tables, book, codes)
    clean = book[NEXT_WORD] == len(words) and book[STATE_A] == LOWEST and book[STATE_B] == LOWEST
    return DONE if clean else BAD_END


@kernel
def _shapes(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    """Class, log scales and opacity."""
    if not _opacities(words, tables, book, codes):
        return False
    _values(words, tables, book, scale_contexts(codes, book[OPACITY_LEVELS] - 1), codes[SCALE])
    if not add_scale_predictions(codes, book):
        return False
    _values(words, tables, book, drop_2_contexts(codes, book[PREDICT]), codes[DROP_2])
    _values(words, tables, book, drop_3_contexts(codes), codes[DROP_3])
    if max(codes[DROP_2].max(), codes[DROP_3].max()) > MAX_DROP:
        return False
    set_classes(codes, book)
    bits = fine_bits(codes, book)
    for row in range(FINE, FINE + 3):
        _raw(words, book, bits, codes[row])
    return True


@kernel
def _places(words: np.ndarray, book: np.ndarray, codes: np.ndarray) -> None:
    """The open bits of the means, but for those that a splat of this size does without."""
    kept = np.zeros((3, codes.shape[1]), np.int32)
    for axis in range(3):
        _raw(words, book, place_bits(codes, axis, book), kept[axis])
    open_places(codes, kept, book)


@kernel
def _turns(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    """The pole and the spin, with as many bits as the shape of the splat makes visible."""
    set_turn_bits(codes, book)
    if not _faces(words, tables, book, codes):
        return False
    near, contexts, far_bits = near_poles(codes)
    folded = np.empty(len(near), np.int32)
    for row in range(POLE_U, POLE_V + 1):
        _raw(words, book, far_bits, codes[row])
        _values(words, tables, book, contexts, folded)
        add_guesses(codes, row, near, folded)
    _raw(words, book, codes[SPIN_BITS].astype(np.int64), codes[SPIN])
    return True


@kernel
def _values(
    words: np.ndarray, tables: np.ndarray, book: np.ndarray, contexts: np.ndarray, out: np.ndarray
) -> None:
    """A value for each of ``contexts``: first all tokens, then the raw bits that some have."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    long, used = np.empty(len(contexts), np.int64), 0
    for index in range(len(contexts)):
        row = book[unsigned(TABLE_OF + contexts[index])]
        token, a, b, at = next_symbol(words, tables, row, a, b, at)
        out[index] = token
        long[unsigned(used)] = index
        used += 1 if token >= DIRECT else 0
    for place in range(used):
        index = unsigned(long[place])
        out[index], a, b, at = _extended(words, wide(out[index]), a, b, at)
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at


@inlined
def _extended(words: np.ndarray, token: int, a: int, b: int, at: int) -> tuple[int, int, int, int]:
    """The value of a token that has raw bits."""
    bits = further_bits(token)
    low, a, b, at = next_bits(words, bits, a, b, at)
    return (2 + (token & 1)) << bits | low, a, b, at


@kernel
def _raw(words: np.ndarray, book: np.ndarray, counts: np.ndarray, out: np.ndarray) -> None:
    """Raw bits, as many as ``counts`` says, the low 16 first; zero where there are none."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(len(counts)):
        bits = counts[index]
        low, a, b, at = next_bits(words, min(bits, 16), a, b, at)
        if bits > 16:
            high, a, b, at = next_bits(words, bits - 16, a, b, at)
            low |= high << 16
        out[index] = low
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at


@kernel
def _opacities(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    """Each in the context of its neighbours' sum, by its table."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    top = book[OPACITY_LEVELS] - 1
    rows = book[opacity_contexts(top) + TABLE_OF]
    known = np.zeros(codes.shape[1] + 1, np.int64)
    for index in range(codes.shape[1]):
        first, second = places_of_two(codes, index)
        value, a, b, at = next_symbol(words, tables, rows[unsigned(known[first] + known[second])], a, b, at)
        if value >= DIRECT:
            value, a, b, at = _extended(words, value, a, b, at)
        if value > top:
            return False
        known[unsigned(index + 1)] = value
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
def _harmonics(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> None:
    """Tokens at first; those without raw bits are unfolded at once, to values below ``DIRECT``."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    long, used = np.empty(codes.shape[1], np.int64), 0
    for index in range(codes.shape[1]):
        met = wide(0)
        for channel in range(3):
            token, before = wide(0), wide(0)
            for place in range(band_end(codes[BAND, index]) if (codes[MASK, index] >> channel) & 1 else 0):
                context = coefficient_context(codes[CLASS, index], channel, band_of(place), token + before)
                before = token
                token, a, b, at = next_symbol(words, tables, book[unsigned(TABLE_OF + context)], a, b, at)
                met |= token
                value = unfolded(token) if token < DIRECT else token
                codes[unsigned(SH + 3 * place + channel), unsigned(index)] = value
        long[unsigned(used)] = index
        used += 1 if met >= DIRECT else 0
    for index in long[:used]:
        for row in range(SH, SH + 3 * band_end(codes[BAND, index])):
            if codes[row, index] >= DIRECT:
                value, a, b, at = _extended(words, wide(codes[row, index]), a, b, at)
                codes[row, index] = unfolded(value)
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at

"""Bytes to integers: the decoder's passes through a chunk. Mirrors symbols_in.py pass by pass."""

from __future__ import annotations

import numpy as np
from numba import njit

from exgs.codec.entropy.rans import LOWEST, next_bits, next_symbol, wide
from exgs.codec.model import (
    BAND,
    BAND_CONTEXT,
    CHROMA_G,
    CHROMA_G_CONTEXT,
    CHROMA_O,
    CHROMA_O_CONTEXT,
    CLASS,
    CLASS_CONTEXT,
    CLASSES,
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
    MAX_DROP,
    MAX_VALUE,
    NEAR,
    NEXT_WORD,
    OPACITY,
    OPACITY_CONTEXT,
    OPACITY_LEVELS,
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
    STATE_A,
    STATE_B,
    TABLE_OF,
    X_OPEN,
    X,
    band_end,
    band_of,
    coefficient_context,
    find_neighbours,
    guessed_pole,
    pole_bits,
    pole_guide,
    position_shift,
    predicted,
    prolate,
    push_halves,
    spin_bits,
    split_context,
    split_raw_bits,
)

DONE, BAD_END, BAD_SYMBOL = 0, 15, 16
"""What ``decode_symbols`` gives: nothing amiss, or the number of the broken rule."""


def decode_symbols(
    words: np.ndarray, tables: np.ndarray, book: np.ndarray, shape: np.ndarray, codes: np.ndarray
) -> int:
    """Fills ``codes`` [rows, N] int32 of zeros from ``words`` [M] uint16; gives a broken rule or DONE.

    M is at least 4; ``shape`` [4] int64: splats of the first run, then the bits of x, y and z.
    """
    low, high = words[0:4:2].astype(np.int64), words[1:4:2].astype(np.int64)
    book[STATE_A], book[STATE_B] = low | high << 16
    book[NEXT_WORD] = 4
    for first, end in ((0, shape[0]), (shape[0], codes.shape[1])):
        if not _cells(words, tables, book, shape[1:], codes[:, first:end]):
            return BAD_SYMBOL
    find_neighbours(codes)
    sound = _classes(words, tables, book, codes)
    sound = sound and _predicted(words, tables, book, codes, (SCALE, 0, SCALE_CONTEXT))
    sound = sound and _shapes(words, tables, book, codes)
    if not sound:
        return BAD_SYMBOL
    _places(words, book, codes)
    for pair, (row, context) in enumerate(_COLOURS):
        sound = sound and _predicted(words, tables, book, codes, (row, pair + 1, context))
    sound = sound and _turns(words, tables, book, codes)
    if book[SH_BANDS] > 0:
        sound = sound and _harmonics(words, tables, book, codes)
    if not sound:
        return BAD_SYMBOL
    clean = book[NEXT_WORD] == len(words) and book[STATE_A] == LOWEST and book[STATE_B] == LOWEST
    return DONE if clean else BAD_END


_COLOURS = ((LUMA, LUMA_CONTEXT), (CHROMA_O, CHROMA_O_CONTEXT), (CHROMA_G, CHROMA_G_CONTEXT))


@njit(nogil=True, cache=True, forceinline=True)
def _value(
    words: np.ndarray, tables: np.ndarray, row: int, a: int, b: int, at: int
) -> tuple[int, int, int, int]:
    token, a, b, at = next_symbol(words, tables, row, a, b, at)
    if token < DIRECT:
        return token, a, b, at
    bits = ((token - DIRECT) >> 1) + 3
    low, a, b, at = next_bits(words, bits, a, b, at)
    return (2 + ((token - DIRECT) & 1)) << bits | low, a, b, at


@njit(nogil=True, cache=True, forceinline=True)
def _unfolded(value: int) -> int:
    return -((value + 1) >> 1) if value & 1 else value >> 1


@njit(nogil=True, cache=True)
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


@njit(nogil=True, cache=True)
def _classes(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        near = codes[NEAR, index]
        context = CLASS_CONTEXT + (codes[CLASS, near] if near >= 0 else 0)
        level, a, b, at = next_symbol(words, tables, book[TABLE_OF + context], a, b, at)
        if level >= CLASSES:
            return False
        codes[CLASS, index] = level
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@njit(nogil=True, cache=True)
def _predicted(
    words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray, which: tuple[int, int, int]
) -> bool:
    """A row that is coded as the difference from what is expected; ``which``: row, prediction, context."""
    row, pair, context = which
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        table = book[TABLE_OF + context + codes[CLASS, index]]
        folded, a, b, at = _value(words, tables, table, a, b, at)
        value = predicted(codes, row, index, book, pair) + _unfolded(folded)
        if abs(value) > MAX_VALUE:
            return False
        codes[row, index] = value
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@njit(nogil=True, cache=True)
def _shapes(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        level = wide(codes[CLASS, index])
        drop_2, a, b, at = _value(words, tables, book[TABLE_OF + DROP_2_CONTEXT + level], a, b, at)
        table = book[TABLE_OF + DROP_3_CONTEXT + 4 * level + min(drop_2, 3)]
        drop_3, a, b, at = _value(words, tables, table, a, b, at)
        opacity, a, b, at = _value(words, tables, book[TABLE_OF + OPACITY_CONTEXT + level], a, b, at)
        if drop_2 > MAX_DROP or drop_3 > MAX_DROP or opacity >= book[OPACITY_LEVELS]:
            return False
        codes[DROP_2, index], codes[DROP_3, index], codes[OPACITY, index] = drop_2, drop_3, opacity
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@njit(nogil=True, cache=True)
def _places(words: np.ndarray, book: np.ndarray, codes: np.ndarray) -> None:
    """The open bits of the means, but for those that a splat of this size does without."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        shift = position_shift(codes, index, book)
        for axis in range(3):
            opened = wide(codes[X_OPEN + axis, index])
            bits = max(opened - shift, 0)
            low, a, b, at = next_bits(words, min(bits, 16), a, b, at)
            if bits > 16:
                high, a, b, at = next_bits(words, bits - 16, a, b, at)
                low |= high << 16
            corner = codes[X + axis, index] - (1 << opened) + (low << (opened - bits + 1))
            codes[X + axis, index] = corner + (1 << (opened - bits))
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at


@njit(nogil=True, cache=True)
def _turns(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    """The pole and the spin, with as many bits as the shape of the splat makes visible."""
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        bits = pole_bits(codes, index, book)
        codes[POLE_BITS, index] = bits
        if bits >= 0:
            guide, kind = pole_guide(codes, index), prolate(codes, index)
            known = 1 + codes[FACE, guide] if guide >= 0 else 0
            face, a, b, at = next_symbol(
                words, tables, book[TABLE_OF + FACE_CONTEXT + 4 * kind + known], a, b, at
            )
            if face > 2:
                return False
            codes[FACE, index] = face
            near = face + 1 == known and bits > 0
            table = book[TABLE_OF + POLE_CONTEXT + 7 * kind + max(min(bits, 7) - 1, 0)]
            for row in range(POLE_U, POLE_V + 1):
                if near:
                    folded, a, b, at = _value(words, tables, table, a, b, at)
                    guess = guessed_pole(codes[row, guide], codes[POLE_BITS, guide], bits)
                    codes[row, index] = (guess + _unfolded(folded)) & ((1 << bits) - 1)
                else:
                    codes[row, index], a, b, at = next_bits(words, bits, a, b, at)
        bits = spin_bits(codes, index, book)
        codes[SPIN_BITS, index] = bits
        codes[SPIN, index], a, b, at = next_bits(words, bits, a, b, at)
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True


@njit(nogil=True, cache=True)
def _harmonics(words: np.ndarray, tables: np.ndarray, book: np.ndarray, codes: np.ndarray) -> bool:
    a, b, at = book[STATE_A], book[STATE_B], book[NEXT_WORD]
    for index in range(codes.shape[1]):
        near = codes[NEAR, index]
        band, mask = (codes[BAND, near], codes[MASK, near]) if near >= 0 else (0, 0)
        table = book[TABLE_OF + BAND_CONTEXT + 4 * (codes[CLASS, index] >> 1) + band]
        top, a, b, at = next_symbol(words, tables, table, a, b, at)
        if top > book[SH_BANDS]:
            return False
        codes[BAND, index] = top
        if top == 0:
            continue
        mask, a, b, at = next_symbol(words, tables, book[TABLE_OF + MASK_CONTEXT + mask], a, b, at)
        if mask == 0 or mask > 7:
            return False
        codes[MASK, index] = mask
        for channel in range(3):
            value = wide(0)
            for place in range(band_end(top) if (mask >> channel) & 1 else 0):
                table = book[TABLE_OF + coefficient_context(channel, band_of(place), value)]
                folded, a, b, at = _value(words, tables, table, a, b, at)
                value = _unfolded(folded)
                codes[SH + 3 * place + channel, index] = value
    book[STATE_A], book[STATE_B], book[NEXT_WORD] = a, b, at
    return True

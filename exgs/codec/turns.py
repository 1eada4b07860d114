"""How rotations are coded: how many bits a pole and a spin take, and from which pole a splat's is guessed.

Used by encoder and decoder alike. Spec: docs/bitstream.md, Chunks
"""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import inlined, kernel, unsigned, wide
from exgs.codec.model import (
    CLASS,
    DROP_2,
    DROP_3,
    FACE,
    GUIDE,
    MAX_ROTATION_BITS,
    NEAR,
    NEXT_NEAR,
    POLE_BITS,
    POLE_CONTEXT,
    SPIN_BITS,
    TURN_THRESHOLDS,
    TURNS,
)
from exgs.codec.tokens import unfolded


@kernel
def _thresholds(book: np.ndarray) -> np.ndarray:
    """[16] int64: what a difference must reach to be past this threshold and all before it."""
    limits = book[TURNS : TURNS + TURN_THRESHOLDS].copy()
    for place in range(1, TURN_THRESHOLDS):
        limits[place] = max(limits[place], limits[place - 1])
    return limits


@inlined
def _turn_bits(difference: int, limits: np.ndarray) -> int:
    """Bits in class 0 of an angle between axes with log scales ``difference`` half steps apart."""
    bits = wide(0)
    for place in range(TURN_THRESHOLDS):
        bits += 1 if difference >= limits[place] else 0
    return bits


@kernel
def prolate(codes: np.ndarray, index: int) -> int:
    """1 where the pole is the longest axis, 0 where it is the shortest: the one that stands out."""
    return 1 if codes[DROP_2, index] > codes[DROP_3, index] else 0


@kernel
def set_turn_bits(codes: np.ndarray, book: np.ndarray) -> None:
    """Fills POLE_BITS, SPIN_BITS and GUIDE from the shapes."""
    limits = _thresholds(book)
    shapes = np.zeros(codes.shape[1] + 1, np.uint8)
    for index in range(codes.shape[1]):
        level = wide(codes[CLASS, index])
        drop_2, drop_3 = wide(codes[DROP_2, index]), wide(codes[DROP_3, index])
        larger, smaller = max(drop_2, drop_3), min(drop_2, drop_3)
        bits = _turn_bits(2 * larger + smaller, limits) - level
        codes[POLE_BITS, index] = min(max(bits, -1), MAX_ROTATION_BITS)
        shapes[unsigned(index + 1)] = (1 if bits >= 0 else 0) + (2 if drop_2 > drop_3 else 0)
        bits = _turn_bits(2 * smaller, limits) - level + 1
        codes[SPIN_BITS, index] = min(max(bits, 0), MAX_ROTATION_BITS)
    for index in range(codes.shape[1]):
        wanted = shapes[unsigned(index + 1)] | 1
        first, second = wide(codes[NEAR, index]), wide(codes[NEXT_NEAR, index])
        second = second if shapes[unsigned(second + 1)] == wanted else -1
        codes[GUIDE, index] = first if shapes[unsigned(first + 1)] == wanted else second


@kernel
def near_poles(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How each pole is coded.

    Gives the splats whose pole lies on the face of the guide and is coded as the difference from it, the
    contexts of these, and [N] raw bits of each coordinate of all others.
    """
    count = codes.shape[1]
    near, contexts = np.empty(count, np.int64), np.empty(count, np.int64)
    far_bits = np.zeros(count, np.int64)
    used = 0
    for index in range(count):
        guide, bits = codes[GUIDE, index], codes[POLE_BITS, index]
        if guide >= 0 and bits > 0 and codes[FACE, index] == codes[FACE, guide]:
            near[used] = index
            contexts[used] = POLE_CONTEXT + 7 * prolate(codes, index) + min(bits, 7) - 1
            used += 1
        else:
            far_bits[index] = max(bits, 0)
    return near[:used], contexts[:used], far_bits


@kernel
def guessed_pole(codes: np.ndarray, row: int, index: int) -> int:
    """A pole coordinate of the guide, in the bits of splat ``index``."""
    guide = codes[GUIDE, index]
    return ((2 * wide(codes[row, guide]) + 1) << codes[POLE_BITS, index]) >> (codes[POLE_BITS, guide] + 1)


@kernel
def add_guesses(codes: np.ndarray, row: int, near: np.ndarray, folded: np.ndarray) -> None:
    """Sets a pole coordinate of the splats ``near`` from the folded differences from their guides."""
    for place in range(len(near)):
        index = near[place]
        value = guessed_pole(codes, row, index) + unfolded(wide(folded[place]))
        codes[row, index] = value & ((1 << codes[POLE_BITS, index]) - 1)


@kernel
def guess_differences(codes: np.ndarray, row: int, near: np.ndarray) -> np.ndarray:
    """Pole coordinates of the splats ``near`` less their guesses, modulo their range."""
    differences = np.zeros(len(near), np.int64)
    for place in range(len(near)):
        index = near[place]
        half = 1 << (codes[POLE_BITS, index] - 1)
        difference = codes[row, index] - guessed_pole(codes, row, index)
        differences[place] = ((difference + half) & (2 * half - 1)) - half
    return differences

"""How rotations are coded: how many bits a pole and a spin take, and from which pole a splat's is guessed.

Used by encoder and decoder alike. Spec: docs/bitstream.md, Chunks
"""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import kernel, wide
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
from exgs.codec.prediction import unfolded


@kernel
def turn_bits(difference: int, level: int, book: np.ndarray) -> int:
    """Bits of an angle between axes with log scales ``difference`` half steps apart, less ``level``."""
    bits = 0
    while bits < TURN_THRESHOLDS and difference >= book[TURNS + bits]:
        bits += 1
    return bits - level


@kernel
def prolate(codes: np.ndarray, index: int) -> int:
    """1 where the pole is the longest axis, 0 where it is the shortest: the one that stands out."""
    return 1 if codes[DROP_2, index] > codes[DROP_3, index] else 0


@kernel
def set_turn_bits(codes: np.ndarray, book: np.ndarray) -> None:
    """Fills POLE_BITS, SPIN_BITS and GUIDE from the shapes."""
    for index in range(codes.shape[1]):
        level = wide(codes[CLASS, index])
        larger = wide(max(codes[DROP_2, index], codes[DROP_3, index]))
        smaller = wide(min(codes[DROP_2, index], codes[DROP_3, index]))
        bits = turn_bits(2 * larger + smaller, level, book)
        codes[POLE_BITS, index] = min(max(bits, -1), MAX_ROTATION_BITS)
        bits = turn_bits(2 * smaller, level, book) + 1
        codes[SPIN_BITS, index] = min(max(bits, 0), MAX_ROTATION_BITS)
        codes[GUIDE, index] = -1
        for place in range(NEXT_NEAR, NEAR - 1, -1):
            other = codes[place, index]
            if other >= 0 and codes[POLE_BITS, other] >= 0 and prolate(codes, other) == prolate(codes, index):
                codes[GUIDE, index] = other


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

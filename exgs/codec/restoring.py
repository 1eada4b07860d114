"""Values back from how they differ from what is predicted: the decoder's half of prediction.py.

Spec: docs/bitstream.md, Chunks
"""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import inlined, kernel, unsigned, wide
from exgs.codec.model import CLASS, LUMA, MAX_VALUE, NEAR, NEXT_NEAR, PREDICT, SCALE
from exgs.codec.prediction import expected
from exgs.codec.tokens import unfolded


@kernel
def add_scale_predictions(codes: np.ndarray, book: np.ndarray) -> bool:
    """Turns folded differences into scales, in place; False if one is out of range."""
    mean, trust, largest = book[PREDICT], book[PREDICT + 1], wide(0)
    known = np.full(codes.shape[1] + 1, mean)
    for index in range(codes.shape[1]):
        first, second = places_of_two(codes, index)
        value = expected(known[first] + known[second], mean, trust, wide(0))
        value += unfolded(wide(codes[SCALE, index]))
        known[unsigned(index + 1)] = value
        largest = max(largest, abs(value))
        codes[SCALE, index] = value
    return largest <= MAX_VALUE


@kernel
def add_colour_predictions(codes: np.ndarray, book: np.ndarray) -> bool:
    """The same for the three rows of colours, which do not wait for each other."""
    largest = wide(0)
    known = np.empty((codes.shape[1] + 1, 4), np.int64)
    means, trusts = book[PREDICT + 2 : PREDICT + 8 : 2], book[PREDICT + 3 : PREDICT + 9 : 2]
    known[0, :3] = means
    for index in range(codes.shape[1]):
        first, second = places_of_two(codes, index)
        level = wide(codes[CLASS, index])
        for row in range(3):
            near = known[first, row] + known[second, row]
            value = expected(near, means[row], trusts[row], level) + unfolded(wide(codes[LUMA + row, index]))
            known[unsigned(index + 1), row] = value << level
            largest = max(largest, abs(value))
            codes[LUMA + row, index] = value
    return largest <= MAX_VALUE


@inlined
def places_of_two(codes: np.ndarray, index: int) -> tuple[int, int]:
    """Places of the two neighbours in an array that begins with what stands for a missing one."""
    first, second = wide(codes[NEAR, index]), wide(codes[NEXT_NEAR, index])
    return unsigned(first + 1), unsigned((second if second >= 0 else first) + 1)

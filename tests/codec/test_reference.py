"""The decoder against the one written from the specification, on random pyramids."""

import numpy as np
import pytest
from random_pyramids import random_pyramid
from reference_decoder import ReferenceDecoder

from exgs.codec import Precision, decode, serialize


@pytest.mark.parametrize("degree", range(4))
@pytest.mark.parametrize("factor", [0.1, 1.0, 6.0])
def test_both_decoders_agree_bit_for_bit(degree: int, factor: float) -> None:
    pyramid = random_pyramid(350, 70, 9, seed=40 + degree, degree=degree)
    data = serialize(pyramid, Precision().scaled(factor))
    ours, theirs = decode(data), ReferenceDecoder(data).whole()
    assert np.array_equal(ours.means, theirs["means"])
    assert np.array_equal(ours.quats, theirs["quats"])
    assert np.array_equal(ours.log_scales, theirs["log_scales"])
    assert np.array_equal(ours.opacity_logits, theirs["logits"])
    assert np.array_equal(ours.sh0, theirs["sh0"])
    assert np.array_equal(ours.shN, theirs["shN"])

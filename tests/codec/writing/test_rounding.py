"""Values become integers within bounds; luma and chroma are those that a decoder undoes."""

import numpy as np

from exgs.codec.model import MAX_VALUE
from exgs.codec.writing.rounding import LARGEST, luma_chroma, nearest


def test_the_nearest_integer_is_within_bounds() -> None:
    assert [nearest(value, 0) for value in (0.49, 0.51, -0.49, -0.51, 7.0)] == [0, 1, 0, -1, 7]
    assert nearest(1e9, 0) == LARGEST and nearest(-1e9, 3) == -(LARGEST >> 3)
    assert 2 * (2 * LARGEST) + 1 <= MAX_VALUE


def test_red_green_and_blue_come_back_from_luma_and_chroma() -> None:
    rgb = np.random.default_rng(4).normal(size=3).astype(np.float32)
    luma, chroma_o, chroma_g = (value / 8 for value in luma_chroma(rgb, 8.0))
    again = (luma - chroma_g + chroma_o, luma + chroma_g, luma - chroma_g - chroma_o)
    np.testing.assert_allclose(again, rgb, atol=1e-6)

"""Levels are quantised in parts: nobody can tell from the file."""

import numpy as np
import pytest
from random_pyramids import random_pyramid

from exgs.codec.encoding.rate import BALANCED
from exgs.codec.writing import chunking
from exgs.codec.writing.serializer import serialize_measured
from exgs.raster.crew import Crew


@pytest.mark.parametrize("degree", [0, 2])
@pytest.mark.parametrize("rows", [100, 349, 350])
def test_the_parts_of_a_level_are_not_seen_in_the_file(
    monkeypatch: pytest.MonkeyPatch, degree: int, rows: int
) -> None:
    pyramid = random_pyramid(350, 70, 9, seed=60 + degree, degree=degree)
    whole = serialize_measured(pyramid, BALANCED)
    monkeypatch.setattr(chunking, "_ROWS", rows)
    for parted in (
        serialize_measured(pyramid, BALANCED),
        serialize_measured(pyramid, BALANCED, Crew(3).share),
    ):
        assert parted.data == whole.data
        for (level, index), (whole_level, whole_index) in zip(parted.places, whole.places, strict=True):
            assert level == whole_level
            np.testing.assert_array_equal(index, whole_index)

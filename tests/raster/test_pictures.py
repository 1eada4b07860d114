"""Floats to bytes."""

import numpy as np

from exgs.raster import to_bytes


def test_values_are_clipped_and_rounded() -> None:
    row = np.array([-1.0, 0.0, 0.4999 / 255, 0.5001 / 255, 127.4 / 255, 1.0, 7.0, np.nan, np.inf], np.float32)
    picture = np.repeat(row[None, :, None], 3, axis=2)
    assert to_bytes(picture)[0, :, 0].tolist() == [0, 0, 0, 1, 127, 255, 255, 0, 255]


def test_the_picture_stays_as_it_was() -> None:
    picture = np.full((2, 2, 3), 0.25, np.float32)
    to_bytes(picture)
    assert (picture == 0.25).all()

"""Grids as fine as a number of voxels allows."""

import numpy as np
import pytest

from exgs.codec.encoding.voxels import voxels


@pytest.mark.parametrize("occupied", [1, 10, 50, 400])
def test_there_are_nearly_as_many_voxels_as_may_be(occupied: int) -> None:
    means = np.random.default_rng(1).random((3000, 3)).astype(np.float32)
    numbers = voxels(means, occupied)
    found = np.unique(numbers)
    np.testing.assert_array_equal(found, np.arange(len(found)))
    assert 0.4 * occupied <= len(found) <= occupied


def test_a_voxel_holds_what_is_near() -> None:
    means = np.random.default_rng(2).random((3000, 3)).astype(np.float32)
    numbers = voxels(means, 64)
    sizes = [np.ptp(means[numbers == number], axis=0).max() for number in np.unique(numbers)]
    assert max(sizes) < 0.6


def test_what_lies_in_one_place_shares_a_voxel() -> None:
    assert not voxels(np.ones((5, 3), np.float32), 4).any()

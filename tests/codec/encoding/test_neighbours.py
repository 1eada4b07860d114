"""The nearest neighbours are the nearest, in any order of the points."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from exgs.codec.encoding.neighbours import along_curve, inherit, nearest
from exgs.raster.crew import Crew


def points(count: int) -> np.ndarray:
    """Clumps of very different sizes, and a few points far out."""
    random = np.random.default_rng(count)
    spread = 10.0 ** random.uniform(-3, 1, (count, 1))
    return np.asarray(random.normal(size=(count, 3)) * spread, np.float32)


@pytest.mark.parametrize("count", [2, 9, 64, 65, 3000])
@pytest.mark.parametrize("sorted_points", [False, True])
def test_the_nearest_are_found(count: int, sorted_points: bool) -> None:
    means = points(count)
    if sorted_points:
        means = means[along_curve(means)]
    wanted = min(8, count - 1)
    found = nearest(means, wanted, Crew(2))
    distance = np.linalg.norm(means[found] - means[:, None], axis=2)
    exact = cKDTree(means).query(means, k=wanted + 1)[0][:, 1:]
    assert (found != np.arange(count)[:, None]).all()
    np.testing.assert_allclose(distance, exact, rtol=1e-4, atol=1e-6)


def test_points_in_one_place_have_neighbours() -> None:
    found = nearest(np.zeros((40, 3), np.float32), 8, Crew(1))
    assert all(len(set(row) - {index}) == 8 for index, row in enumerate(found.tolist()))


def test_what_is_missing_is_said() -> None:
    assert nearest(points(2), 3, Crew(1)).tolist() == [[1, -1, -1], [0, -1, -1]]


def test_threads_change_nothing() -> None:
    means = points(5000)
    np.testing.assert_array_equal(nearest(means, 8, Crew(1)), nearest(means, 8, Crew(3)))


def test_the_curve_keeps_neighbours_together() -> None:
    means = np.random.default_rng(1).uniform(size=(4096, 3)).astype(np.float32)
    order = along_curve(means)
    assert sorted(order) == list(range(4096))
    step = np.linalg.norm(np.diff(means[order], axis=0), axis=1)
    assert np.median(step) < 0.1 < np.median(np.linalg.norm(np.diff(means, axis=0), axis=1))


def test_a_merged_point_has_the_neighbours_of_its_halves() -> None:
    """0 and 1 become 0; 2 and 3 stay, as 1 and 2."""
    old = np.array([[1, 2], [0, 3], [0, 1], [1, 2]], np.int32)
    place = np.array([0, 0, 1, 2], np.int32)
    halves = np.array([[0, 1], [2, -1], [3, -1]], np.int32)
    means = np.array([[0, 0, 0], [5, 0, 0], [1, 0, 0]], np.float32)
    new = np.empty((3, 2), np.int32)
    inherit(0, 3, (place, halves), old, means, new)
    assert new.tolist() == [[2, 1], [0, -1], [0, 1]]

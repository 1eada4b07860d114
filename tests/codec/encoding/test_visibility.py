"""What no view saw still counts for something; what is seen counts by its surroundings too."""

import numpy as np

from exgs.codec.encoding.survey import Survey
from exgs.codec.encoding.visibility import LEAST_CLEAR, floor_of, light, likely_footprint
from exgs.scene import Camera

CAMERA = Camera.looking(
    np.array([0.0, 0.0, -4.0]), np.zeros(3), np.array([0.0, -1.0, 0.0]), fov_y_rad=1.0, size=(64, 64)
)


def survey(footprint: list[float]) -> Survey:
    values = np.array(footprint, np.float32)
    return Survey((CAMERA,), np.zeros((1, 64, 64, 3), np.float32), np.zeros_like(values), values)


def test_what_no_view_framed_has_a_footprint() -> None:
    found = likely_footprint(survey([0.0, 100.0, 100.0, 400.0]))
    assert found.dtype == np.float32
    assert 0 < found[0] < 100
    np.testing.assert_array_equal(found[1:], [100, 100, 400])


def test_a_scene_that_no_view_framed_has_a_footprint() -> None:
    assert (likely_footprint(survey([0.0, 0.0])) > 0).all()


def test_what_no_view_saw_is_least_clear() -> None:
    means = np.zeros((4, 3), np.float32)
    found = light(means, np.full(4, 10.0), np.array([0.0, 10.0, 10.0, 10.0]))
    np.testing.assert_allclose(found, [LEAST_CLEAR, 1, 1, 1])


def test_what_is_hidden_as_a_whole_is_clearer_than_what_is_hidden_from_its_surroundings() -> None:
    means = np.random.default_rng(1).random((2000, 3)).astype(np.float32)
    means[1000:, 0] += 10
    weight = np.where(np.arange(2000) < 1000, 1.0, 10.0)
    weight[1000:1010] = 1.0
    found = light(means, np.full(2000, 10.0), weight)
    assert found[:1000].mean() > 2 * found[1000:1010].mean()


def test_the_floor_is_a_share_of_the_median_and_never_nothing() -> None:
    assert floor_of(np.array([0.0, 2.0, 40.0]), 0.05, 1e-6) == 0.1
    assert floor_of(np.array([0.0, 0.0, 40.0]), 0.05, 1e-6) == 1e-6

"""What a viewer says, as the scheduler reads it."""

import math

import numpy as np
import pytest

from exgs.codec import Level, Precision, Pyramid, open_container, serialize
from exgs.protocol import ViewUpdate
from exgs.scene import Gaussians, StartView
from exgs.server.hearing import display_delay_s, held_ids, view_at_start, view_of


def _view(orientation: tuple[float, float, float, float]) -> ViewUpdate:
    return ViewUpdate(1, 0, (0.0, 0.0, -9.0), orientation, (0.6, 0.6))


def test_the_pose_becomes_a_rotation_to_the_camera() -> None:
    half = math.sqrt(0.5)
    view = view_of(
        _view((2 * half, 0.0, 2 * half, 0.0))
    )  # a quarter turn about y, twice as long as it should be
    assert view is not None
    np.testing.assert_allclose(view.camera_from_world @ view.camera_from_world.T, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(view.camera_from_world[2], [1.0, 0.0, 0.0], atol=1e-12)  # looks along world x
    assert view_of(_view((0.0, 0.0, 0.0, 0.0))) is None


@pytest.mark.parametrize(("bitmap", "ids"), [(b"", []), (b"\x05", [0, 2]), (b"\x00\x80", [15])])
def test_bitmaps_begin_with_the_lowest_bit(bitmap: bytes, ids: list[int]) -> None:
    assert list(held_ids(bitmap)) == ids


@pytest.mark.parametrize("target", [(0.0, 0, 0), (1.0, 2, 8), (1.0, -9, 3)])
def test_a_viewer_is_supposed_to_begin_where_the_file_says(target: tuple[float, float, float]) -> None:
    one = np.zeros((1, 3), np.float32)
    dot = Gaussians(
        one, np.array([[1, 0, 0, 0]], "f4"), one, one[:, 0], one[:, None], np.zeros((1, 0, 3), "f4")
    )
    start = StartView(np.array([1.0, 2, 3]), np.array(target), 1.0)
    levels = (Level(dot, None, np.ones(1, np.float32)),)
    view = view_at_start(open_container(serialize(Pyramid(levels, start), Precision())).header)
    assert view is not None and view.position == pytest.approx([1, 2, 3])
    ahead = np.array(target) - (1, 2, 3)
    assert view.camera_from_world[2] @ ahead == pytest.approx(np.linalg.norm(ahead), rel=1e-5)
    assert view_at_start(open_container(serialize(Pyramid(levels), Precision())).header) is None


def test_a_chunk_is_on_display_after_a_round_trip_and_what_goes_before_it() -> None:
    assert display_delay_s(None, waiting_bytes=100, bytes_per_s=1e6) is None
    assert display_delay_s(0.05, waiting_bytes=20_000, bytes_per_s=1e6) == pytest.approx(0.07)
    assert display_delay_s(0.05, waiting_bytes=20_000, bytes_per_s=0.0) == 0.05

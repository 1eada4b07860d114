"""Posed pictures: what must agree, and what becomes of a camera when its picture is cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.views import Views, fit
from exgs.scene import Camera, Frame

CAMERA = Camera(np.eye(4), 50.0, 60.0, 22.0, 14.0, 40, 30, "one")


def views(count: int = 3) -> Views:
    pictures = np.random.default_rng(0).integers(0, 256, (count, 30, 40, 3), np.uint8)
    cameras = tuple(replace(CAMERA, name=f"{number}") for number in range(count))
    return Views(pictures, cameras, 0.5, 9.0, Frame())


def test_views_know_their_size_and_places() -> None:
    made = views()
    assert len(made) == 3
    assert made.size == (40, 30)
    assert made.centres.shape == (3, 3)


def test_selected_views_keep_pictures_and_cameras_together() -> None:
    made = views()
    chosen = made.select([2, 0])
    assert [camera.name for camera in chosen.cameras] == ["2", "0"]
    np.testing.assert_array_equal(chosen.pictures, made.pictures[[2, 0]])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"pictures": np.zeros((3, 30, 40, 3), np.float32)}, "uint8"),
        ({"pictures": np.zeros((3, 30, 40), np.uint8)}, "uint8"),
        ({"pictures": np.zeros((2, 30, 40, 3), np.uint8)}, "2 pictures and 3 cameras"),
        ({"pictures": np.zeros((3, 40, 30, 3), np.uint8)}, "40 x 30, but the pictures are 30 x 40"),
        ({"near": 0.0}, "0 < near < far"),
        ({"near": 9.0}, "0 < near < far"),
        ({"far": float("inf")}, "0 < near < far"),
        ({"near": float("nan")}, "0 < near < far"),
    ],
)
def test_what_does_not_agree_is_refused(change: dict[str, object], said: str) -> None:
    with pytest.raises(FeedforwardError, match=said):
        replace(views(), **change)  # type: ignore[arg-type]


def test_no_view_at_all_is_refused() -> None:
    with pytest.raises(FeedforwardError, match="0 pictures"):
        Views(np.zeros((0, 30, 40, 3), np.uint8), (), 0.5, 9.0, Frame())


def test_the_same_size_changes_nothing() -> None:
    made = views()
    assert made.resized(40, 30) is made


@pytest.mark.parametrize("size", [(20, 15), (20, 10), (10, 15), (80, 45), (7, 9)])
def test_a_point_stays_on_its_pixel(size: tuple[int, int]) -> None:
    """What a camera sees at the centre of its picture, and at an edge that is kept, stays there."""
    _, taken = fit(Image.new("RGB", (40, 30)), CAMERA, *size)
    scale = max(size[0] / 40, size[1] / 30)
    for x, y in ((20.0, 15.0), (23.0, 11.0)):
        ray = np.array([(x - CAMERA.cx) / CAMERA.fx, (y - CAMERA.cy) / CAMERA.fy])
        seen = ray * (taken.fx, taken.fy) + (taken.cx, taken.cy)
        expected = ((x - 20) * scale + size[0] / 2, (y - 15) * scale + size[1] / 2)
        np.testing.assert_allclose(seen, expected)
    assert (taken.width, taken.height) == size


def test_pixels_become_the_mean_of_the_area_they_cover() -> None:
    made = views()
    smaller = made.resized(10, 6)
    cut = made.pictures[:, 3:27].reshape(3, 6, 4, 10, 4, 3).mean(axis=(2, 4))
    np.testing.assert_allclose(smaller.pictures, cut, atol=1)  # rounded along x, then along y
    assert smaller.near == made.near
    assert smaller.cameras[1].name == "1"

"""True pictures beside their cameras: what is refused, and how they are made smaller."""

import numpy as np
import pytest

from exgs.codec import EncodeError, Photographs
from exgs.scene import Camera
from exgs.scene.camera import cameras_looking


def cameras(count: int, size: tuple[int, int]) -> tuple[Camera, ...]:
    angle = np.linspace(0.0, 1.0, count)
    places = np.stack([3 * np.cos(angle), np.zeros(count), 3 * np.sin(angle)], axis=1)
    up = np.array([0.0, -1.0, 0.0])
    return tuple(cameras_looking(places, np.zeros((count, 3)), up, fov_y_rad=0.8, size=size))


def noise(count: int, size: tuple[int, int]) -> Photographs:
    pictures = np.random.default_rng(4).integers(0, 256, (count, size[1], size[0], 3), np.uint8)
    return Photographs(cameras(count, size), pictures)


@pytest.mark.parametrize(
    ("pictures", "said"),
    [
        (np.zeros((3, 8, 12, 3), np.float32), "expected .* uint8"),
        (np.zeros((3, 8, 12, 4), np.uint8), r"shape \[3, 8, 12, 4\]"),
        (np.zeros((8, 12, 3), np.uint8), r"expected \[V,H,W,3\]"),
        (np.zeros((2, 8, 12, 3), np.uint8), "2 photographs and 3 cameras"),
        (np.zeros((3, 12, 8, 3), np.uint8), "takes 12 x 8 pixels, its photograph has 8 x 12"),
    ],
)
def test_pictures_of_other_cameras_are_refused(pictures: np.ndarray, said: str) -> None:
    with pytest.raises(EncodeError, match=said):
        Photographs(cameras(3, (12, 8)), pictures)


def test_none_at_all_are_refused() -> None:
    with pytest.raises(EncodeError, match="0 photographs and 0 cameras"):
        Photographs((), np.zeros((0, 8, 12, 3), np.uint8))


def test_fewer_keep_the_first_and_the_last() -> None:
    taken = noise(7, (12, 8))
    few = taken.thinned(3)
    assert few.cameras == (taken.cameras[0], taken.cameras[3], taken.cameras[6])
    assert (few.pictures == taken.pictures[[0, 3, 6]]).all()
    assert taken.thinned(7) is taken


def test_small_ones_stay_as_they_are() -> None:
    taken = noise(2, (24, 18))
    assert taken.within(32, 18) is taken


def test_smaller_ones_are_means_of_areas_seen_by_smaller_cameras() -> None:
    taken = noise(2, (24, 16))
    small = taken.within(24, 8)
    assert small.pictures.shape == (2, 8, 12, 3)
    means = taken.pictures.reshape(2, 8, 2, 12, 2, 3).mean(axis=(2, 4))
    assert np.abs(small.pictures - means).max() <= 1.0  # rows and columns are rounded one after the other
    for camera, large in zip(small.cameras, taken.cameras, strict=True):
        assert (camera.fx, camera.fy, camera.cx, camera.cy) == (large.fx / 2, large.fy / 2, 6.0, 4.0)
        assert (camera.width, camera.height) == (12, 8)


def test_of_very_wide_ones_the_middle_is_kept() -> None:
    taken = noise(1, (64, 8))
    middle = taken.within(6, 8)
    assert (middle.pictures == taken.pictures[:, :, 26:38]).all()
    (camera,) = middle.cameras
    assert (camera.width, camera.height, camera.cx) == (12, 8, taken.cameras[0].cx - 26)


def test_a_shape_that_does_not_divide_stays_within_the_picture() -> None:
    small = noise(1, (101, 50)).within(320, 23)
    assert small.pictures.shape == (1, 23, 46, 3)
    assert small.cameras[0].cx == 23.0

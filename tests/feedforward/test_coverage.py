"""Coverage: what views find empty, and who goes on for it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from exgs.feedforward.anchors import MOST
from exgs.feedforward.coverage import PATCH, SMALL_PIXELS, Coverage, measure_coverage, more_anchors, shrunk
from exgs.feedforward.views import Views
from exgs.raster.cpu import CpuRasterizer
from exgs.scene import Frame, Gaussians
from exgs.scene.camera import cameras_looking

SIZE = (64, 48)
ROWS, COLUMNS = SIZE[1] // PATCH, SIZE[0] // PATCH
UP = np.array([0.0, -1.0, 0.0])


def turning(count: int, *, size: tuple[int, int] = SIZE) -> Views:
    """Views that look out of a small circle to all sides, all grey."""
    angle = np.linspace(0, 2 * math.pi, count, endpoint=False)
    outward = np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=1)
    cameras = cameras_looking(0.3 * outward, 2 * outward, UP, fov_y_rad=1.0, size=size)
    pictures = np.full((count, size[1], size[0], 3), 99, np.uint8)
    return Views(pictures, tuple(cameras), 1.0, 6.0, Frame())


def half_a_wall() -> Gaussians:
    """Opaque all over where x is above zero, three units ahead."""
    x, y = np.meshgrid(np.arange(0.05, 4, 0.1), np.arange(-4, 4, 0.1))
    means = np.stack([x, y, np.full_like(x, 3.0)], axis=-1).reshape(-1, 3).astype(np.float32)
    count = len(means)
    return Gaussians(
        means=means,
        quats=np.tile(np.array([1, 0, 0, 0], np.float32), (count, 1)),
        log_scales=np.full((count, 3), np.log(0.07), np.float32),
        opacity_logits=np.full(count, 4.0, np.float32),
        sh0=np.zeros((count, 1, 3), np.float32),
        shN=np.zeros((count, 0, 3), np.float32),
        frame=Frame(),
    )


def missing(views: int, *empty: int) -> Coverage:
    """All of the views ``empty``."""
    found = np.zeros((views, ROWS, COLUMNS), bool)
    found[list(empty)] = True
    return Coverage(found)


@pytest.mark.parametrize("size", [SIZE, (448, 336), (12, 9)])
def test_what_is_not_drawn_is_missing(size: tuple[int, int]) -> None:
    ahead, behind = turning(2, size=size), turning(4, size=size).select([2])
    rasterizer = CpuRasterizer(threads=1)
    assert measure_coverage(half_a_wall(), behind, rasterizer=rasterizer).shares == [1.0]
    found = measure_coverage(half_a_wall(), ahead, rasterizer=rasterizer)
    width = found.missing.shape[2]
    assert found.missing[0, :, : width // 2].all()
    assert not found.missing[0, :, (width + 2) // 2 :].any()
    assert found.missing[1].all()


def test_black_is_not_missed() -> None:
    views = turning(2)
    views.pictures[1, : 2 * PATCH] = 3
    found = measure_coverage(half_a_wall(), views, rasterizer=CpuRasterizer(threads=1))
    assert found.shares[1] == pytest.approx((ROWS - 2) / ROWS)
    assert not found.missing[1, :2].any()


def test_lines_are_not_missed_patches_are() -> None:
    views = turning(2)
    views.pictures[1] = 0
    views.pictures[1, ::4] = 99
    found = measure_coverage(half_a_wall(), views, rasterizer=CpuRasterizer(threads=1))
    assert found.shares[1] == 0


def test_views_are_looked_at_small() -> None:
    large = turning(2, size=(640, 480))
    width, height = shrunk(large).size
    assert width * height == pytest.approx(SMALL_PIXELS, rel=0.01)
    assert width / height == pytest.approx(640 / 480, rel=0.01)
    small = turning(2)
    assert shrunk(small) is small


def test_what_anchors_themselves_miss_is_nobodys_fault() -> None:
    half = np.zeros((4, ROWS, COLUMNS), bool)
    half[[0, 2, 3], :3] = True
    assert Coverage(half).short([0]) == []
    assert Coverage(half).short([1]) == [0, 2, 3]
    assert Coverage(half).short([1, 2]) == [0, 3]
    assert Coverage(half).short(None) == []
    assert more_anchors(Coverage(half), turning(4), [0]) == []


def test_views_that_see_what_is_missing_go_on() -> None:
    views = turning(24)
    behind = range(7, 18)
    found = more_anchors(missing(24, *behind), views, [0, 1, 23, 2])
    assert len(found) == 2  # half as many as there were, at most
    assert all(9 <= view <= 15 for view in found)
    assert abs(found[0] - found[1]) >= 3  # they look different ways
    assert found == more_anchors(missing(24, *behind), views, [0, 1, 23, 2])


def test_one_goes_on_where_it_sees_all() -> None:
    assert more_anchors(missing(24, 12), turning(24), [0, 6, 18, 3]) == [12]


def test_more_views_of_the_same_let_no_more_go_on() -> None:
    few = more_anchors(missing(24, *range(10, 15)), turning(24), [0, 6, 18, 3, 21, 1, 2, 22])
    many = more_anchors(missing(240, *range(100, 150)), turning(240), [0, 60, 180, 30, 210, 10, 20, 220])
    assert len(many) == len(few)


def test_there_are_never_more_than_the_bound() -> None:
    views = turning(80)
    empty = missing(80, *range(40, 80))
    assert len(more_anchors(empty, views, range(MOST - 1))) == 1
    assert more_anchors(empty, views, range(MOST)) == []
    assert more_anchors(missing(3), turning(3), [0, 1, 2]) == []


def test_the_names_of_views_do_not_matter() -> None:
    views = turning(24)
    named = replace(views, cameras=tuple(replace(one, name="x") for one in views.cameras))
    empty = missing(24, *range(7, 18))
    assert more_anchors(empty, named, [0, 1]) == more_anchors(empty, views, [0, 1])

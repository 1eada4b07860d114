"""Anchors: which views go on, who joins them, and how many there must be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exgs.feedforward.anchors import LEAST, MOST, anchors_needed, choose_anchors, farthest_first
from exgs.feedforward.errors import FeedforwardError
from exgs.scene import Camera
from exgs.scene.camera import cameras_looking

UP = np.array([0.0, -1.0, 0.0])
AHEAD = np.array([0.0, 0.0, 1.0])


def looking(positions: np.ndarray, targets: np.ndarray, *, fov: float = 55.0) -> list[Camera]:
    return cameras_looking(positions, targets, UP, fov_y_rad=math.radians(fov), size=(224, 128))


def arc(count: int, degrees: float, *, radius: float = 3.0) -> list[Camera]:
    angle = np.radians(np.linspace(0, degrees, count, endpoint=degrees < 360))
    places = radius * np.stack([np.cos(angle), np.zeros(count), np.sin(angle)], axis=1)
    return looking(places, np.zeros((count, 3)))


def walk(count: int, length: float) -> list[Camera]:
    places = np.linspace(0, length, count)[:, None] * (1.0, 0.0, 0.0)
    return looking(places, places + AHEAD)


def slow_farthest_first(centres: np.ndarray, count: int) -> list[int]:
    """As published, one view at a time."""
    middle = centres.mean(axis=0)
    chosen = [max(range(len(centres)), key=lambda view: math.dist(centres[view], middle))]
    while len(chosen) < count:
        left = [view for view in range(len(centres)) if view not in chosen]
        chosen.append(max(left, key=lambda view: min(math.dist(centres[view], centres[a]) for a in chosen)))
    return chosen


def test_sampling_is_as_published() -> None:
    for seed in range(5):
        centres = np.random.default_rng(seed).normal(size=(20, 3))
        assert farthest_first(centres, 9) == slow_farthest_first(centres, 9)


def test_the_start_is_farthest_from_the_barycentre() -> None:
    assert choose_anchors(np.array([[0.0, 0, 0], [1, 0, 0], [10, 0, 0]]), 1).indices == (2,)


def test_supports_join_their_nearest_anchor_nearest_first() -> None:
    centres = np.array([[0.0, 0, 0], [10, 0, 0], [2, 0, 0], [1, 0, 0], [7, 0, 0]])
    found = choose_anchors(centres, 2)
    assert found.indices == (1, 0)
    assert found.supports == ((4,), (3, 2))


def test_equals_go_by_their_index_whatever_rounding_says() -> None:
    angle = np.linspace(0, 2 * np.pi, 8, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros(8)], axis=1) + 1e3 / 3
    assert choose_anchors(ring, 4).indices == (0, 4, 2, 6)


def test_a_support_between_two_anchors_joins_the_first() -> None:
    found = choose_anchors(np.array([[0.0, 0, 0], [2, 0, 0], [1, 0, 0]]), 2)
    assert found.supports == ((2,), ())


def test_views_at_one_place_are_taken_in_order() -> None:
    found = choose_anchors(np.ones((4, 3)), 2)
    assert found.indices == (0, 1)
    assert found.supports == ((2, 3), ())


def test_more_anchors_than_views_are_all_views() -> None:
    found = choose_anchors(np.eye(3), 9)
    assert sorted(found.indices) == [0, 1, 2]
    assert found.supports == ((), (), ())
    assert len(found) == 3


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 999))
def test_every_view_is_an_anchor_or_supports_one(views: int, count: int, seed: int) -> None:
    centres = np.random.default_rng(seed).integers(0, 3, (views, 3)).astype(float)
    found = choose_anchors(centres, count)
    everyone = [*found.indices, *(view for joined in found.supports for view in joined)]
    assert sorted(everyone) == list(range(views))
    for place, joined in enumerate(found.supports):
        for view in joined:
            apart = np.linalg.norm(centres[list(found.indices)] - centres[view], axis=1)
            assert apart[place] == apart.min()


@pytest.mark.parametrize("centres", [np.zeros((0, 3)), np.zeros((2, 2)), np.full((2, 3), np.nan)])
def test_centres_that_are_none_are_refused(centres: np.ndarray) -> None:
    with pytest.raises(FeedforwardError, match="centres"):
        choose_anchors(centres, 1)


def test_no_anchor_at_all_is_refused() -> None:
    with pytest.raises(FeedforwardError, match="0 anchors"):
        choose_anchors(np.eye(3), 0)


def test_one_view_is_its_own_anchor() -> None:
    assert anchors_needed(arc(1, 0), 1.5, 4.5) == 1


def test_a_burst_from_one_spot_needs_the_least() -> None:
    places = np.random.default_rng(0).normal(scale=0.02, size=(30, 3))
    assert anchors_needed(looking(places, places + AHEAD), 1.0, 6.0) == LEAST


def test_more_pictures_of_the_same_need_no_more_anchors() -> None:
    """From where views overlap well on, the number stays: that is what bounds memory."""
    assert abs(anchors_needed(arc(24, 90), 1.5, 4.5) - anchors_needed(arc(96, 90), 1.5, 4.5)) <= 1
    assert abs(anchors_needed(walk(24, 10), 1, 6) - anchors_needed(walk(96, 10), 1, 6)) <= 1


def test_a_wider_arc_and_a_longer_walk_need_more() -> None:
    arcs = [anchors_needed(arc(36, degrees), 1.5, 4.5) for degrees in (20, 180, 360)]
    assert arcs == sorted(arcs)
    assert arcs[0] < arcs[-1]
    walks = [anchors_needed(walk(60, length), 1, 6) for length in (0.5, 10, 15)]
    assert walks == sorted(set(walks))
    assert all(LEAST <= count <= MOST for count in arcs + walks)


def test_views_that_share_nothing_all_go_on_up_to_the_bound() -> None:
    apart = walk(40, 4000)
    assert anchors_needed(apart[:10], 1, 6) == 10
    assert anchors_needed(apart, 1, 6) == MOST


def test_opposite_sides_of_a_thing_are_not_the_same() -> None:
    assert anchors_needed(arc(8, 360, radius=2.0), 1.9, 2.1) > 3


def test_the_number_does_not_change_with_the_unit_or_the_place() -> None:
    cameras = arc(20, 200)
    moved = []
    for camera in cameras:
        matrix = camera.world_from_camera
        matrix[:3, 3] = 40 * matrix[:3, 3] + (100, 7, -3)
        moved.append(Camera(np.linalg.inv(matrix), *(camera.fx, camera.fy, camera.cx, camera.cy), 224, 128))
    assert anchors_needed(moved, 60, 180) == anchors_needed(cameras, 1.5, 4.5)


@pytest.mark.parametrize(("near", "far"), [(0, 1), (2, 1), (1, math.inf), (math.nan, 1)])
def test_a_span_that_is_none_is_refused(near: float, far: float) -> None:
    with pytest.raises(FeedforwardError, match="near"):
        anchors_needed(arc(3, 90), near, far)


def ahead(count: int, length: float) -> list[Camera]:
    places = np.linspace(0, length, count)[:, None] * AHEAD
    return looking(places, places + AHEAD)


def turning(count: int) -> list[Camera]:
    angle = np.linspace(0, 4 * math.pi, count, endpoint=False)
    places = np.random.default_rng(0).normal(scale=0.02, size=(count, 3))
    return looking(places, places + np.stack([np.sin(angle), 0 * angle, np.cos(angle)], axis=1))


def burst(count: int) -> list[Camera]:
    places = np.random.default_rng(0).normal(scale=0.02, size=(count, 3))
    return looking(places, places + AHEAD)


@pytest.mark.parametrize(
    ("row", "make", "span", "apart"),
    [
        ("all from within 5 cm", burst, (1, 6), 1),
        ("a quarter of a circle", lambda count: arc(count, 90), (1.5, 4.5), 1),
        ("all around it", lambda count: arc(count, 360), (1.5, 4.5), 1),
        ("10 m sideways", lambda count: walk(count, 10), (1, 6), 1),
        ("10 m straight ahead", lambda count: ahead(count, 10), (1, 6), 1),
        ("a full turn on the spot", turning, (1, 6), 3),
        ("4 km along things", lambda count: walk(count, 4000), (1, 6), 1),
    ],
)
def test_the_numbers_in_the_documentation_are_these(
    row: str, make: Callable[[int], list[Camera]], span: tuple[float, float], apart: int
) -> None:
    text = (Path(__file__).parents[2] / "docs" / "views.md").read_text(encoding="utf-8")
    (said,) = re.findall(rf"^\| {re.escape(row)}.*\| (\d+)", text, re.MULTILINE)
    assert anchors_needed(make(36), *span) == int(said)
    assert all(abs(anchors_needed(make(count), *span) - int(said)) <= apart for count in (24, 96))


def test_no_view_at_all_is_refused() -> None:
    with pytest.raises(FeedforwardError, match="one view or more"):
        anchors_needed([], 1, 2)

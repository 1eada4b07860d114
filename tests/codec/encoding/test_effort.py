"""What an effort amounts to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from exgs.codec.encoding.effort import DEFAULT_EFFORT, EFFORTS, FEWEST_DRAWS, PIXELS_PER_GAUSSIAN, Effort

NORMAL = EFFORTS[DEFAULT_EFFORT]


def test_more_effort_looks_at_more() -> None:
    fast, normal, best = EFFORTS.values()
    for less, more in ((fast, normal), (normal, best)):
        for splats in (10, 10_000, 300_000, 13_000_000):
            assert less.view_count(splats) <= more.view_count(splats)
        assert less.view_px[1] <= more.view_px[1]
        assert less.draws <= more.draws and less.work < more.work and less.looks <= more.looks


@pytest.mark.parametrize("splats", [0, 1, 1_000_000, 100_000_000])
def test_views_are_within_their_bounds(splats: int) -> None:
    assert NORMAL.views[0] <= NORMAL.view_count(splats) <= NORMAL.views[1]


@pytest.mark.parametrize("effort", EFFORTS.values())
def test_the_work_is_bounded(effort: Effort) -> None:
    for splats in (100_000, 600_000, 2_000_000):
        pixels = effort.view_px[0] * effort.view_px[1]
        assert effort.fine_draws(splats) * (splats + pixels // PIXELS_PER_GAUSSIAN) <= effort.work
        assert effort.coarse_draws(splats) < effort.fine_draws(splats)
        assert effort.touching_draws(splats) < effort.fine_draws(splats)


def test_few_gaussians_have_little_to_learn() -> None:
    assert NORMAL.fine_draws(0) == FEWEST_DRAWS
    assert NORMAL.fine_draws(800) == FEWEST_DRAWS + 100
    assert NORMAL.fine_draws(10_000) == NORMAL.draws


def test_larger_pictures_count_as_more_work() -> None:
    larger = replace(NORMAL, view_px=(1280, 720))
    assert larger.fine_draws(200_000) < NORMAL.fine_draws(200_000)

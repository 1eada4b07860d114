"""A scene thirteen times larger than what may be held."""

from __future__ import annotations

import functools
from dataclasses import replace

import numpy as np
import pytest

from benchmarks.budget import Still, Turning, figures, large_scene
from exgs.codec import Container
from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.timeline import ChunkRow, Timeline, Trial
from exgs.experiments.virtual import play_virtual
from exgs.scene import Gaussians, HeadPath, StartView, synthetic_head_trace

BUDGET = 10_000


@functools.cache
def scene() -> Container:
    """A shell of small splats around whoever looks."""
    count, rng = 13 * BUDGET, np.random.default_rng(4)
    means = rng.normal(size=(count, 3))
    means *= (3 + rng.uniform(size=(count, 1))) / np.linalg.norm(means, axis=1, keepdims=True)
    quats = np.zeros((count, 4), np.float32)
    quats[:, 0] = 1
    gaussians = Gaussians(
        means.astype(np.float32), quats, np.full((count, 3), -4.0, np.float32), np.ones(count, np.float32),
        rng.normal(size=(count, 1, 3)).astype(np.float32), np.zeros((count, 0, 3), np.float32),
    )  # fmt: skip
    return large_scene(gaussians, StartView(np.zeros(3), np.array([0.0, 0.0, 1.0]), 1.0), coarsest=300)


@functools.cache
def walk() -> HeadPath:
    header = scene().header
    assert header.start is not None
    return synthetic_head_trace(seconds=16, seed=3).placed(header.start, header.frame.up_vector)


@functools.cache
def played(head: str) -> Timeline:
    up = scene().header.frame.up_vector
    path = {"still": Still(walk()), "walking": walk(), "turning": Turning(walk(), up)}[head]
    link = LinkSettings(Rate.constant(10), 0.025)
    return play_virtual(
        Trial(scene(), path, link, link, seconds=16.0, fps=30.0, max_splats=BUDGET)  # type: ignore[arg-type]
    )


@pytest.mark.parametrize("head", ["still", "walking", "turning"])
def test_it_is_shown_within_the_budget_without_holes_or_thrash(head: str) -> None:
    assert scene().shown >= 13 * BUDGET
    found = figures(played(head))
    assert found.first_frame_s is not None and found.first_frame_s < 0.3
    assert 0.8 * BUDGET < found.most_splats <= BUDGET, "the budget is used, and never exceeded"
    assert found.holes == found.orphans == 0
    assert found.soon_bytes <= 0.2 * found.received_bytes, "what was let go is not fetched again at once"
    assert found.received_bytes < 0.5 * len(scene().data)


def test_before_a_head_that_stands_still_chunks_come_to_rest() -> None:
    found = figures(played("still"))
    assert found.resting_mbps == 0 and found.again_bytes == 0


def test_a_head_that_turns_is_followed() -> None:
    still, turning = figures(played("still")), figures(played("turning"))
    assert turning.let_go > still.let_go
    assert turning.received_bytes > still.received_bytes


def test_what_is_wrong_is_counted() -> None:
    sound = played("still")
    roots = {chunk.id for chunk in scene().manifest if chunk.parent < 0}
    first = next(row for row in sound.chunks if row.chunk in roots)
    torn = tuple(replace(row, gone_s=9.0) if row is first else row for row in sound.chunks)
    assert figures(replace(sound, chunks=torn)).holes > 0
    child = next(row for row in sound.chunks if row.level == scene().header.levels - 3)
    kept = tuple(row for row in sound.chunks if row.chunk != scene().manifest[child.chunk].parent)
    assert figures(replace(sound, chunks=kept)).orphans > 0
    gone = replace(next(row for row in sound.chunks if row.chunk not in roots), gone_s=9.0)
    back = ChunkRow(gone.chunk, gone.level, gone.size_bytes, gone.splats, 9.5, 10.0, 10.1)
    found = figures(replace(sound, chunks=(*sound.chunks, gone, back)))
    assert found.again_bytes == found.soon_bytes == gone.size_bytes


def test_a_turning_head_comes_back() -> None:
    turning = Turning(walk(), scene().header.frame.up_vector)
    ahead = [turning.pose_at(time_s)[:3, :3] for time_s in (0.0, 4.0, 8.0)]
    assert np.allclose(ahead[0], ahead[2]) and not np.allclose(ahead[0], ahead[1])
    assert np.allclose(ahead[1] @ ahead[1].T, np.eye(3))

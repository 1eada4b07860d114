"""How many Gaussians a budget holds, and of which degree."""

from dataclasses import replace

import pytest
from clouds import cloud, task_of

from exgs.codec import EncodeConfig, EncodeError
from exgs.codec.encoding.balance import FARTHEST
from exgs.codec.encoding.carrying import remember
from exgs.codec.encoding.merging import to_gaussians
from exgs.codec.encoding.planning import LOOKS, SCENE_SHARE, make_plan, shrink
from exgs.codec.encoding.rate import BALANCED
from exgs.codec.encoding.task import MergeTask
from exgs.codec.writing.precision import STEPS


@pytest.fixture(scope="module")
def task() -> MergeTask:
    return task_of(cloud(800))


def test_more_bytes_hold_more_gaussians(task: MergeTask) -> None:
    counts = [make_plan(replace(task, budget_bytes=budget)).clusters.count for budget in (1500, 4000, 10**6)]
    assert counts == sorted(counts) and len(set(counts)) == 3 and counts[-1] == 800


def test_the_degree_is_what_was_asked_for_at_most(task: MergeTask) -> None:
    assert make_plan(task).degree == 1
    assert make_plan(replace(task, config=EncodeConfig(sh_degree=0))).degree == 0


def test_a_file_that_is_too_large_is_shrunk_by_as_much_until_one_is_left(task: MergeTask) -> None:
    plan = make_plan(task)
    before = plan.clusters.count
    shrink(plan, 500, 1000)
    assert 0.45 * before < plan.clusters.count < 0.5 * before
    shrink(plan, 1, 1000)
    assert plan.clusters.count == 1
    with pytest.raises(EncodeError, match="1000 bytes are the least"):
        shrink(plan, 1, 1000)


def test_steps_follow_the_scene_within_bounds(task: MergeTask) -> None:
    found = make_plan(task).precision
    factors = [getattr(found, name) / getattr(BALANCED, name) for name in STEPS]
    assert max(factors) / min(factors) > 1.05
    far = LOOKS * SCENE_SHARE
    assert FARTHEST[0] ** far <= min(factors) and max(factors) <= FARTHEST[1] ** far
    assert found == make_plan(task).precision


def test_a_known_fit_brings_its_steps_along(task: MergeTask) -> None:
    plan = make_plan(task)
    steps = replace(BALANCED, colour=0.02)
    fitted = remember(plan.clusters, to_gaussians(plan.clusters), (4000, 4000), steps, 1.0)
    assert make_plan(replace(task, fitted=fitted, budget_bytes=3000)).precision == steps


def test_where_all_gaussians_fit_steps_are_the_usual_ones(task: MergeTask) -> None:
    plan = make_plan(replace(task, budget_bytes=10**6))
    assert plan.clusters.count == 800 and plan.precision == BALANCED

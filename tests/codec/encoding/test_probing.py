"""What steps of quantising make of pictures and bytes."""

from dataclasses import replace

import numpy as np
import pytest
from clouds import cloud, task_of

from exgs.codec.encoding import probing
from exgs.codec.encoding.merging import Clusters, reduce
from exgs.codec.encoding.probing import look, stretches
from exgs.codec.encoding.rate import BALANCED
from exgs.codec.encoding.task import MergeTask
from exgs.codec.writing.precision import STEPS


@pytest.fixture(scope="module")
def task() -> MergeTask:
    return task_of(cloud(800))


def cut(task: MergeTask, count: int) -> Clusters:
    clusters = Clusters.whole(task.tree)
    reduce(clusters, count)
    return clusters


@pytest.mark.parametrize(
    ("size", "looked_at"),
    [((320, 180), (640, 360)), ((640, 360), (640, 360)), ((480, 270), (640, 360)), ((900, 20), (1800, 40))],
)
def test_views_are_as_large_as_viewers_see_them(
    task: MergeTask, size: tuple[int, int], looked_at: tuple[int, int]
) -> None:
    cameras = tuple(camera.resized(*size) for camera in task.views.cameras)
    found = probing._cameras(replace(task, views=replace(task.views, cameras=cameras)))
    assert {(camera.width, camera.height) for camera in found} == {looked_at}


def test_every_step_costs_error_and_saves_bits(task: MergeTask) -> None:
    slopes = look(cut(task, 400), BALANCED, task)
    assert [step.name for step in slopes.steps] == list(STEPS)
    assert all(step.error > 0 and step.octave > 0 for step in slopes.steps)
    assert 8 * 4 < slopes.bits < 8 * 40


def test_shorter_steps_make_less_error_and_take_more_bits(task: MergeTask) -> None:
    clusters = cut(task, 400)
    coarse, fine = (look(clusters, BALANCED.scaled(factor), task) for factor in (1.0, 0.5))
    errors = [sum(step.error for step in slopes.steps) for slopes in (coarse, fine)]
    assert errors[1] < 0.7 * errors[0] and fine.bits > coarse.bits + 5


def test_fewer_gaussians_have_a_larger_error_and_all_of_them_none(task: MergeTask) -> None:
    merging = look(cut(task, 400), BALANCED, task).merging
    assert merging.error(100) > merging.error(400) > merging.error(799) > merging.error(800) == 0


def test_scenes_without_harmonics_have_no_step_of_them() -> None:
    plain = task_of(cloud(300).with_sh_degree(0))
    assert "sh" not in {step.name for step in look(cut(plain, 200), BALANCED, plain).steps}


def test_some_of_the_gaussians_tell_about_what_all_do(
    task: MergeTask, monkeypatch: pytest.MonkeyPatch
) -> None:
    clusters = cut(task, 600)
    whole = look(clusters, BALANCED, task)
    monkeypatch.setattr(probing, "PROBED", 240)
    some = look(clusters, BALANCED, task)
    for one, other in zip(whole.steps, some.steps, strict=True):
        assert one.name == other.name and 0.3 < other.error / one.error < 3


def test_a_single_gaussian_has_nothing_to_merge() -> None:
    alone = task_of(cloud(1))
    slopes = look(cut(alone, 1), BALANCED, alone)
    assert slopes.merging.scale == 0 and slopes.bits > 0


def test_stretches_are_all_of_few_and_neighbours_of_many() -> None:
    assert stretches(100, 50).tolist() == list(range(100))
    some = stretches(1000, 80)
    assert len(some) == 80 and some[0] == 0 and some[-1] == 999 and (np.diff(some) == 1).sum() == 72


def test_the_same_scene_has_the_same_slopes(task: MergeTask) -> None:
    clusters = cut(task, 300)
    first, again = (look(clusters, replace(BALANCED), task) for _ in range(2))
    assert first == again

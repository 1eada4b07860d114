from pathlib import Path

import numpy as np
import pytest

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.sampling import (
    SHORTEST_WALK,
    SampleSettings,
    as_views,
    check_walks,
    draw_example,
    spaced,
    split,
    uneven,
)
from exgs.feedforward.sets import ViewSet
from exgs.scene import Camera, Frame


def toy(walks: int = 2, length: int = 60, scene: str = "toy") -> ViewSet:
    count = walks * length
    camera = Camera(np.eye(4), 10.0, 10.0, 4.0, 3.0, 8, 6)
    return ViewSet(
        scene, np.zeros((count, 6, 8, 3), np.uint8), np.ones((count, 6, 8), np.float16),
        np.repeat(np.arange(walks), length).astype(np.int32), (camera,) * count, 0.5, 2.0, Frame(),
    )  # fmt: skip


@pytest.mark.parametrize("many", [False, True])
def test_targets_lie_between_context_views_of_one_walk(many: bool) -> None:
    views, settings = toy(), SampleSettings()
    counts = set()
    for seed in range(60):
        example = draw_example(views, many=many, settings=settings, rng=np.random.default_rng(seed))
        counts.add(len(example.context))
        assert list(example.context) == sorted(set(example.context))
        assert not set(example.context) & set(example.targets) and 1 <= len(example.targets) <= 3
        assert all(example.context[0] < target < example.context[-1] for target in example.targets)
        assert len({int(views.walk[index]) for index in (*example.context, *example.targets)}) == 1
    assert counts <= set(range(6, 29)) and len(counts) > 8 if many else counts == {2, 3, 4}


def test_jitter_keeps_both_ends_and_makes_gaps_of_many_lengths() -> None:
    even, jittered = (uneven(9, 32, jitter, np.random.default_rng(1)) for jitter in (0.0, 0.9))
    assert set(np.diff(even)) == {4}
    assert (jittered[0], jittered[-1]) == (0, 32) and len(set(np.diff(jittered))) > 3


def test_the_same_draw_gives_the_same_example() -> None:
    one, same = (
        draw_example(toy(), many=True, settings=SampleSettings(), rng=np.random.default_rng(7)) for _ in "ab"
    )
    assert one == same


def test_short_walks_are_refused() -> None:
    with pytest.raises(FeedforwardError, match="walks of 6 views"):
        draw_example(toy(length=6), many=True, settings=SampleSettings(), rng=np.random.default_rng(0))


def test_a_short_walk_has_fewer_context_views_and_targets_all_the_same() -> None:
    views, settings = toy(length=SHORTEST_WALK), SampleSettings(jitter=0)
    drawn = [
        draw_example(views, many=True, settings=settings, rng=np.random.default_rng(seed))
        for seed in range(40)
    ]
    assert {len(example.context) for example in drawn} == set(range(8, SHORTEST_WALK // 2 + 1))
    assert all(example.targets for example in drawn)


def test_walks_that_training_would_stumble_over_are_found_at_once() -> None:
    check_walks([toy(length=SHORTEST_WALK), toy(length=90)])
    with pytest.raises(FeedforwardError, match=r"^second: a walk of 23 views, expected 24 or more"):
        check_walks([toy(length=SHORTEST_WALK), toy(length=SHORTEST_WALK - 1, scene="second")])


def test_more_views_of_the_same_stretch_are_denser_not_longer() -> None:
    for count in (6, 12, 24, 36):
        chosen = spaced(count, range(100, 148))
        assert len(set(chosen)) == count and (chosen[0], chosen[-1]) == (100, 147)


def test_whole_scenes_are_held_back() -> None:
    train, back = split([toy(1, 2, f"{number}") for number in range(17)])
    assert [found.scene for found in back] == ["0", "8", "16"] and len(train) == 14
    alone = [toy(1, 2)]
    assert split(alone) == (alone, alone)
    with pytest.raises(FeedforwardError, match="no view sets"):
        split([])


def test_views_of_a_set_can_be_reconstructed_from(tmp_path: Path) -> None:
    views = as_views(toy(), (3, 5))
    assert len(views) == 2 and (views.near, views.far) == (0.5, 2.0)

from collections.abc import Iterator

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from exgs.feedforward.evaluation import Walk, WalkSettings, evaluate, walk_through  # noqa: E402
from exgs.feedforward.network import build  # noqa: E402
from exgs.raster import choose_rasterizer  # noqa: E402
from exgs.scene import generate_interior  # noqa: E402
from tests.feedforward.test_training import TINY  # noqa: E402

RASTERIZER = choose_rasterizer("cpu", threads=1)


@pytest.fixture(scope="module")
def walk() -> Walk:
    room = generate_interior(seed=3, count=6000).with_sh_degree(0)
    return walk_through(room, WalkSettings(steps=20, targets=2, size=(48, 32)), rasterizer=RASTERIZER)


def test_more_views_are_of_the_same_stretch(walk: Walk) -> None:
    few, many = (walk.context(count) for count in (3, 5))
    for here, there in ((0, 0), (1, 2), (2, 4)):
        assert np.allclose(few.centres[here], many.centres[there])
        assert np.array_equal(few.pictures[here], many.pictures[there])
    assert (few.near, few.far) == (many.near, many.far)
    assert walk.truth.shape == (2, 32, 48, 3)
    assert not any(np.allclose(target.position, centre) for target in walk.targets for centre in few.centres)


def test_without_compression_gaussians_grow_with_the_views_and_with_it_they_do_not(walk: Walk) -> None:
    torch.manual_seed(1)
    torch.set_num_threads(1)
    network, ticks = build(TINY).eval(), count_up()
    with_it, seen = evaluate(
        walk, network, 3, counts=(4, 6), rasterizer=RASTERIZER, clock=lambda: next(ticks)
    )
    without, _ = evaluate(walk, network, None, counts=(4, 6), rasterizer=RASTERIZER)
    assert [score.anchors for score in with_it] == [3, 3] and [score.anchors for score in without] == [4, 6]
    assert abs(with_it[0].gaussians - with_it[1].gaussians) < 0.2 * with_it[0].gaussians
    assert without[1].gaussians > 1.3 * without[0].gaussians
    assert all(score.psnr > 5 and score.peak_bytes > 0 for score in (*with_it, *without))
    assert [score.seconds for score in (*with_it, *without)] == [1, 1, 0, 0]
    assert seen.shape == walk.truth.shape


def count_up() -> Iterator[float]:
    """A clock on which a second passes whenever somebody looks."""
    number = 0.0
    while True:
        yield number
        number += 1

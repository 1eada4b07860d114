"""The order of refinement."""

import numpy as np
from random_pyramids import random_pyramid

from exgs.codec.writing.stages import file_order, stage_count, stages


def test_large_pyramids_have_more_stages() -> None:
    counts = [stage_count(splats) for splats in (0, 1, 2000, 10_000, 10**7)]
    assert counts[0] == 1 and counts == sorted(counts) and counts[-1] > 1


def test_what_gains_more_comes_in_an_earlier_stage() -> None:
    pyramid = random_pyramid(9000, 1500, 200, seed=4)
    last = stage_count(10_700)
    ranks = stages(pyramid)
    worst_of = np.full(last, np.inf)
    best_of = np.zeros(last)
    for finer, rank in zip(pyramid.levels, ranks[1:], strict=False):
        assert finer.parents is not None
        family = np.bincount(finer.parents, minlength=len(rank))
        worth = np.bincount(finer.parents, finer.importance, len(rank)) / np.maximum(family, 1)
        assert (rank[family == 0] == last).all() and (rank[family > 0] < last).all()
        for stage in range(last):
            here = worth[(rank == stage) & (family > 0)]
            worst_of[stage] = min(worst_of[stage], here.min(initial=np.inf))
            best_of[stage] = max(best_of[stage], here.max(initial=0))
    assert last > 1 and (worst_of[:-1] >= best_of[1:]).all()
    assert (ranks[0] == last).all()


def test_parents_come_before_their_children_and_the_worthy_before_others() -> None:
    parents = [-1, 0, -1, 0, 1, 2]
    assert file_order(parents, [1.0, 2.0, 5.0, 3.0, 9.0, 2.5]) == [2, 0, 3, 5, 1, 4]
    assert file_order([-1], [0.0]) == [0]

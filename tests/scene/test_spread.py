"""Some of many, and points that fill space."""

import numpy as np

from exgs.scene.spread import evenly, spread_points


def test_few_of_many_are_spread_evenly() -> None:
    assert evenly(16, 5).tolist() == [0, 4, 8, 11, 15] and evenly(16, 1).tolist() == [0]
    assert evenly(0, 3).tolist() == []
    for total in (1, 2, 7, 100):
        assert evenly(total, total + 3).tolist() == list(range(total))
        assert all(len(set(evenly(total, count).tolist())) == count for count in range(1, total))
        assert all(evenly(total, count)[-1] == total - 1 for count in range(2, total))


def test_spread_points_fill_space_evenly() -> None:
    points = spread_points(256, 2, seed=5)
    counts, _, _ = np.histogram2d(points[:, 0], points[:, 1], bins=8, range=[[0, 1], [0, 1]])
    assert counts.min() >= 1 and counts.max() <= 8

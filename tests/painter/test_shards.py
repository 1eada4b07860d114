from dataclasses import replace

import numpy as np
import pytest

from exgs.painter import PainterError
from exgs.painter.shards import PAIRS, read_pairs, write_shard


def test_pairs_come_back_as_they_were(tmp_path, make_pairs_of):
    written = [make_pairs_of("one"), make_pairs_of("two", views=3, seed=2)]
    for pairs in written:
        write_shard(tmp_path, pairs)
    PAIRS.write_index(tmp_path, {"seed": 5}, ["one", "two"])
    for before, after in zip(written, read_pairs(tmp_path), strict=True):
        assert after.scene == before.scene
        for name in ("source", "color", "alpha", "disparity", "view", "rate", "damage"):
            assert np.array_equal(getattr(before, name), getattr(after, name)), name


def test_smooth_pictures_take_little_room(tmp_path, make_pairs_of):
    pairs = make_pairs_of(size=96)
    flat = np.zeros_like(pairs.alpha)
    path = write_shard(tmp_path, replace(pairs, alpha=flat, disparity=flat))
    assert path.stat().st_size < 0.1 * (pairs.source.size + pairs.color.size)


@pytest.mark.parametrize(
    "change",
    [
        {"view": np.full(14, 7, np.int32)},
        {"view": np.zeros(3, np.int32)},
        {"alpha": np.zeros((14, 48, 40), np.uint8)},
        {"source": np.zeros((7, 48, 48), np.uint8)},
    ],
)
def test_shards_whose_arrays_do_not_belong_together_are_refused(tmp_path, make_pairs_of, change):
    write_shard(tmp_path, replace(make_pairs_of(), **change))
    PAIRS.write_index(tmp_path, {}, ["toy"])
    with pytest.raises(PainterError, match=r"toy\.npz"):
        read_pairs(tmp_path)

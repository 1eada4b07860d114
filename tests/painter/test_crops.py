import numpy as np
import pytest

from exgs.painter import PainterError
from exgs.painter.crops import HELD_BACK, Crops, held_back, pair_planes


def test_the_same_seed_gives_the_same_batch(make_pairs_of):
    crops = Crops([make_pairs_of()], size_px=32)
    first, again, other = (crops.batch(4, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first.planes.shape == (4, 7, 32, 32)
    assert first.source.shape == (4, 3, 32, 32)
    assert np.array_equal(first.planes, again.planes)
    assert not np.array_equal(first.planes, other.planes)


def test_both_pictures_are_varied_alike(make_pairs_of):
    """The damage of the toy is 40 more in one channel, wherever that went and however bright it is."""
    batch = Crops([make_pairs_of()], size_px=32).batch(32, np.random.default_rng(3))
    apart = batch.planes[:, :3] - batch.source
    for crop in apart:
        changed = np.abs(crop).max(axis=(1, 2)) > 1e-3
        assert changed.sum() == 1
        assert np.ptp(crop[changed]) < 0.4
    assert len({int(np.argmax(np.abs(crop).max(axis=(1, 2)))) for crop in apart}) == 3


def test_views_held_back_are_never_cropped(make_pairs_of):
    pairs = make_pairs_of(views=HELD_BACK + 1)
    assert held_back(pairs).tolist() == [v % HELD_BACK == 0 for v in pairs.view]
    pairs.source[[0, HELD_BACK]] = 255
    batch = Crops([pairs], size_px=32).batch(64, np.random.default_rng(4))
    assert batch.source.max() < 0.95
    assert len(Crops([pairs], size_px=32)) == 2 * (HELD_BACK - 1)


def test_planes_of_a_pair_are_those_of_its_picture(make_pairs_of):
    pairs = make_pairs_of()
    planes = pair_planes(pairs, 3, np.s_[:, 8:24])
    assert planes.shape == (7, 48, 16)
    assert np.allclose(planes[:3], pairs.color[3][:, 8:24].transpose(2, 0, 1) / 255)
    assert np.allclose(planes[3], pairs.alpha[3][:, 8:24] / 255)
    assert np.allclose(planes[4], pairs.disparity[3][:, 8:24] / 255)
    assert (planes[5] == pairs.rate[3]).all()
    assert (planes[6] == pairs.layers[3]).all()


def test_nothing_to_train_on_is_refused(make_pairs_of):
    with pytest.raises(PainterError, match="no pairs"):
        Crops([make_pairs_of(views=1)], size_px=32)
    with pytest.raises(PainterError, match="smaller than crops"):
        Crops([make_pairs_of()], size_px=64)

import numpy as np
import pytest

from exgs.scene import Gaussians, drop_non_finite
from exgs.scene.finite import bounds, finite_mask

ARRAYS = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")


def scene(count: int = 12) -> Gaussians:
    rng = np.random.default_rng(0)
    shapes = ((3,), (4,), (3,), (), (1, 3), (3, 3))
    return Gaussians(*(rng.normal(size=(count, *shape)).astype(np.float32) for shape in shapes))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", ARRAYS)
def test_one_bad_value_drops_its_gaussian(name: str, value: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exgs.scene.finite.BLOCK", 5)
    gaussians = scene()
    getattr(gaussians, name).reshape(12, -1)[7, -1] = value
    kept, dropped = drop_non_finite(gaussians)
    assert dropped == 1
    np.testing.assert_array_equal(kept.opacity_logits, np.delete(gaussians.opacity_logits, 7))
    assert finite_mask(kept).all()


def test_signalling_nans() -> None:
    gaussians = scene()
    for name in ARRAYS:
        getattr(gaussians, name).view(np.uint32).reshape(12, -1)[3] = 0x7F800001
    assert drop_non_finite(gaussians)[1] == 1
    assert bounds(gaussians) is not None


def test_a_quaternion_of_length_zero_is_no_rotation() -> None:
    gaussians = scene()
    gaussians.quats[2] = 0
    assert drop_non_finite(gaussians)[1] == 1


def test_a_sound_scene_is_not_copied() -> None:
    gaussians = scene()
    assert drop_non_finite(gaussians) == (gaussians, 0)


def test_bounds_are_those_of_finite_means(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("exgs.scene.finite.BLOCK", 5)
    gaussians = scene()
    gaussians.means[0] = np.nan
    gaussians.means[11] = np.inf
    box = bounds(gaussians)
    assert box is not None
    np.testing.assert_array_equal(box[0], gaussians.means[1:11].min(0))
    np.testing.assert_array_equal(box[1], gaussians.means[1:11].max(0))


def test_bounds_of_nothing() -> None:
    assert bounds(Gaussians.empty()) is None
    gaussians = scene(1)
    gaussians.means[:] = np.nan
    assert bounds(gaussians) is None

import numpy as np
import pytest

from exgs.scene import SH_COEFFICIENTS, Frame, Gaussians, SceneError

ARRAYS = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")


def arrays(count: int = 6, higher: int = 3, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    shapes = ((3,), (4,), (3,), (), (1, 3), (higher, 3))
    return {
        name: rng.normal(size=(count, *shape)).astype(np.float32)
        for name, shape in zip(ARRAYS, shapes, strict=True)
    }


@pytest.mark.parametrize("name", ARRAYS)
def test_arrays_of_the_wrong_kind_are_named(name: str) -> None:
    good = arrays()
    shorter = good[name][:5]
    for bad in (shorter, good[name].astype(np.float64), np.repeat(good[name], 2, axis=-1)[..., ::2]):
        with pytest.raises(SceneError):
            Gaussians(**good | {name: bad})
    # The number of means counts, so that another array is at fault there.
    with pytest.raises(SceneError, match="quats" if name == "means" else name):
        Gaussians(**good | {name: shorter})


@pytest.mark.parametrize("higher", [1, 2, 4, 9, 16, 24])
def test_harmonics_of_no_degree(higher: int) -> None:
    with pytest.raises(SceneError, match="shN"):
        Gaussians(**arrays(higher=higher))


@pytest.mark.parametrize("degree", range(4))
def test_degree_and_size(degree: int) -> None:
    gaussians = Gaussians(**arrays(higher=SH_COEFFICIENTS[degree]))
    assert gaussians.sh_degree == degree
    assert len(gaussians) == 6
    assert gaussians.float_bytes == 6 * (248 - 4 * 3 * (15 - SH_COEFFICIENTS[degree]))


def test_opacities_and_scales() -> None:
    gaussians = Gaussians(**arrays(4))
    gaussians.opacity_logits[:] = (0, -1000, 1000, np.log(3))
    np.testing.assert_allclose(gaussians.opacities, [0.5, 0, 1, 0.75], atol=1e-6)
    assert gaussians.opacities.dtype == np.float32
    np.testing.assert_allclose(np.log(gaussians.scales), gaussians.log_scales, atol=1e-6)


@pytest.mark.parametrize("index", [slice(1, 5, 2), np.array([1, 3]), np.array([0, 1, 0, 1, 0, 0], bool)])
def test_select(index: np.ndarray | slice) -> None:
    gaussians = Gaussians(**arrays(), frame=Frame("RUB", 2.0))
    chosen = gaussians.select(index)
    assert chosen.frame == gaussians.frame
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(chosen, name), getattr(gaussians, name)[[1, 3]])


@pytest.mark.parametrize("degree", range(4))
def test_with_sh_degree(degree: int) -> None:
    gaussians = Gaussians(**arrays(higher=8))
    other = gaussians.with_sh_degree(degree)
    kept = min(8, SH_COEFFICIENTS[degree])
    assert other.sh_degree == degree
    np.testing.assert_array_equal(other.shN[:, :kept], gaussians.shN[:, :kept])
    assert not other.shN[:, kept:].any()
    assert (other is gaussians) == (degree == 2)


@pytest.mark.parametrize("degree", [-1, 4])
def test_degrees_that_are_none(degree: int) -> None:
    with pytest.raises(SceneError, match="SH degree"):
        Gaussians(**arrays()).with_sh_degree(degree)


def test_concatenate() -> None:
    parts = [Gaussians(**arrays(2, 0)), Gaussians(**arrays(3, 8, 1)), Gaussians.empty(1)]
    whole = Gaussians.concatenate(parts)
    assert (len(whole), whole.sh_degree) == (5, 2)
    np.testing.assert_array_equal(whole.means, np.concatenate([part.means for part in parts]))
    assert not whole.shN[:2].any()
    np.testing.assert_array_equal(whole.shN[2:], parts[1].shN)
    with pytest.raises(SceneError, match="no Gaussians"):
        Gaussians.concatenate([])
    with pytest.raises(SceneError, match="different frames"):
        Gaussians.concatenate([parts[0], Gaussians.empty(frame=Frame("RUB"))])

"""A Gaussian learns what least squares would say, as far as the diagonal goes, and unlearns nothing."""

import numpy as np

from exgs.codec.encoding.learning import learn
from exgs.scene import SH_C0


def taught(
    weights: list[float], lacks: list[float], known: np.ndarray, eyes: np.ndarray | None = None
) -> tuple[float, np.ndarray]:
    """The constant colour and the further coefficients of red after views of one Gaussian at the origin."""
    sh0, shN = np.zeros((1, 1, 3), np.float32), np.zeros((1, known.shape[1] - 1, 3), np.float32)
    views = len(weights)
    told = (
        np.array(weights, np.float32).reshape(views, 1),
        np.repeat(np.array(lacks, np.float32), 3).reshape(views, 1, 3),
    )
    where = np.zeros((views, 3), np.float32) if eyes is None else eyes.astype(np.float32)
    learn(0, 1, told, where, known, (np.zeros((1, 3), np.float32), sh0, shN))
    return float(sh0[0, 0, 0] * SH_C0), shN[0, :, 0] * SH_C0


def test_a_constant_colour_becomes_the_mean_by_weight() -> None:
    """Two views together say what two after one another do, if the first was taken in already."""
    known = np.full((1, 1), 1e-6, np.float32)
    first, _ = taught([3.0], [3.0 * 0.2], known)
    np.testing.assert_allclose(first, 0.2, rtol=1e-4)
    second, _ = taught([1.0], [1.0 * (0.6 - 0.2)], known)
    np.testing.assert_allclose(first + second, (3 * 0.2 + 0.6) / 4, rtol=1e-4)
    both, _ = taught([3.0, 1.0], [0.6, 0.6], np.full((1, 1), 1e-6, np.float32))
    np.testing.assert_allclose(both, first + second, rtol=1e-4)
    np.testing.assert_allclose(known, 4.0, rtol=1e-4)


def test_what_is_known_well_hardly_moves() -> None:
    moved, _ = taught([1.0], [1.0], np.full((1, 1), 99.0, np.float32))
    np.testing.assert_allclose(moved, 0.01, rtol=1e-4)


def test_one_view_explains_all_that_it_lacks_and_no_more() -> None:
    """However many harmonics share in it: along the axis of the second of degree 1 that is two of four."""
    known = np.full((1, 4), 1e-6, np.float32)
    constant, further = taught([2.0], [2.0 * 0.5], known, np.array([[0.0, 0.0, -1.0]]))
    np.testing.assert_allclose(constant + np.sqrt(3.0) * further[1], 0.5, rtol=1e-4)
    assert constant > 0 and further[1] > 0 and not further[[0, 2]].any()


def test_a_harmonic_that_is_known_for_sure_stays() -> None:
    known = np.array([[1.0, 1.0, np.inf, 1.0]], np.float32)
    constant, further = taught([2.0], [1.0], known, np.array([[0.0, 0.0, -1.0]]))
    assert constant > 0 and further[1] == 0 and known[0, 2] == np.inf


def test_what_no_view_sees_is_not_touched() -> None:
    known = np.full((1, 1), 0.5, np.float32)
    assert taught([0.0], [0.7], known)[0] == 0 and known[0, 0] == 0.5

import numpy as np
import pytest

from exgs.scene import SH_C0
from exgs.scene.harmonics import higher_basis


def sphere(rings: int = 24) -> tuple[np.ndarray, np.ndarray]:
    """Directions and weights that integrate polynomials over the sphere exactly (Gauss-Legendre in z)."""
    z, weights = np.polynomial.legendre.leggauss(rings)
    angles = np.arange(2 * rings) * np.pi / rings
    radius = np.sqrt(1 - z**2)[:, None]
    points = np.stack(
        np.broadcast_arrays(radius * np.cos(angles), radius * np.sin(angles), z[:, None]), axis=-1
    )
    return points.reshape(-1, 3), np.repeat(weights * np.pi / rings, 2 * rings)


def test_functions_are_orthonormal_and_free_of_a_constant() -> None:
    directions, weights = sphere()
    basis = np.c_[np.full(len(directions), SH_C0), higher_basis(directions, 3)]
    np.testing.assert_allclose(basis.T * weights @ basis, np.eye(16), atol=1e-9)


@pytest.mark.parametrize("degree", range(4))
def test_lower_degrees_are_the_first_columns(degree: int) -> None:
    directions, _ = sphere(4)
    lower = higher_basis(directions, degree)
    assert lower.shape == (len(directions), (0, 3, 8, 15)[degree])
    np.testing.assert_array_equal(lower, higher_basis(directions, 3)[:, : lower.shape[1]])


def test_signs_are_those_of_the_inria_code() -> None:
    """Along the axes: y, z, x with the signs -, +, - in degree 1."""
    basis = higher_basis(np.eye(3), 1)
    assert np.sign(basis).tolist() == [[0, 0, -1], [-1, 0, 0], [0, 1, 0]]

"""Spherical harmonics: orthonormal, in the order and with the signs of the INRIA code."""

import numpy as np
import pytest

from exgs.raster import sh_basis, view_colors, view_directions
from tests.raster.scenes import camera, cloud


def directions(count: int) -> np.ndarray:
    vectors = np.random.default_rng(0).standard_normal((count, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("degree", range(4))
def test_basis_is_orthonormal_over_the_sphere(degree: int) -> None:
    basis = sh_basis(directions(200_000), degree).astype(np.float64)
    assert basis.shape == (200_000, (degree + 1) ** 2)
    products = 4 * np.pi * basis.T @ basis / len(basis)
    np.testing.assert_allclose(products, np.eye(len(products)), atol=0.02)


def test_first_band_points_along_minus_y_z_and_minus_x() -> None:
    basis = sh_basis(np.eye(3), 1)[:, 1:]
    np.testing.assert_allclose(basis, 0.4886025 * np.array([[0, 0, -1], [-1, 0, 0], [0, 1, 0]]), atol=1e-6)


def test_view_directions_are_of_unit_length_and_lead_away() -> None:
    scene, view = cloud(50), camera()
    found = view_directions(scene.means, view)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert (((scene.means - view.position) * found).sum(axis=1) > 0).all()


def test_view_colors_are_the_constant_where_there_are_no_bands_and_never_negative() -> None:
    scene = cloud(50)
    expected = np.maximum(0.5 + 0.28209479 * scene.sh0[:, 0], 0)
    np.testing.assert_allclose(view_colors(scene, camera()), expected, atol=1e-6)
    assert (view_colors(cloud(50, sh_degree=3), camera()) >= 0).all()

"""Merging keeps what it should, and finds the pairs that cost least."""

import numpy as np
import pytest

from exgs.codec.merging import Clusters, begin, reduce, to_gaussians
from exgs.codec.moments import area_of, areas, covariances, rotations_and_scales
from exgs.codec.pairing import pair_cost, thin_axis
from exgs.codec.simplify import build_layers, to_pyramid
from exgs.codec.survey import Survey
from exgs.scene import SH_C0, Camera, Gaussians

CAMERA = Camera.looking(
    np.array([0.0, 0.0, -4.0]), np.zeros(3), np.array([0.0, -1.0, 0.0]), fov_y_rad=1.0, size=(64, 64)
)


def cloud(count: int, seed: int = 3) -> Gaussians:
    random = np.random.default_rng(seed)
    return Gaussians(
        random.normal(0.0, 1.0, (count, 3)).astype(np.float32),
        random.normal(size=(count, 4)).astype(np.float32),
        random.uniform(-4.0, -2.0, (count, 3)).astype(np.float32),
        random.normal(size=count).astype(np.float32),
        random.normal(size=(count, 1, 3)).astype(np.float32),
        np.zeros((count, 3, 3), np.float32),
    )


def seen(gaussians: Gaussians, *, light: float = 1.0) -> Survey:
    """A survey in which ``light`` reaches every Gaussian, at 1e4 pixels per unit of area."""
    footprint = np.full(len(gaussians), 1e4, np.float32)
    area = areas(covariances(gaussians.quats, gaussians.log_scales))
    weight = (10 * light * 2 * np.pi * gaussians.opacities * area * footprint).astype(np.float32)
    return Survey((CAMERA,), np.zeros((1, 64, 64, 3), np.float32), weight, footprint)


def test_rotations_and_scales_undo_covariances() -> None:
    scene = cloud(200)
    covs = covariances(scene.quats, scene.log_scales)
    again = covariances(*rotations_and_scales(covs))
    np.testing.assert_allclose(again, covs, atol=1e-5 * np.abs(covs).max())


def test_a_sphere_shows_its_cross_section() -> None:
    assert area_of(np.array([4.0, 0.0, 0.0, 4.0, 0.0, 4.0], np.float32)) == pytest.approx(4.0)


def test_the_thin_axis_is_the_eigenvector_of_the_least_variance() -> None:
    covs = covariances(cloud(50).quats, np.tile(np.float32([-1.0, -1.5, -4.0]), (50, 1)))
    for cov in covs:
        matrix = cov[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3)
        axis = np.linalg.eigh(matrix)[1][:, 0]
        assert abs(float(np.dot(axis, thin_axis(cov)))) == pytest.approx(1.0, abs=1e-3)


def test_a_pair_keeps_mass_mean_and_second_moment() -> None:
    scene = cloud(2)
    clusters = begin(scene, seen(scene))
    mass, means, covs = clusters.mass.copy(), clusters.means.copy(), clusters.covs.copy()
    share = mass / mass.sum()
    reduce(clusters, 1)
    mean = share @ means
    full = covs[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(2, 3, 3)
    moment = sum(s * (c + np.outer(m - mean, m - mean)) for s, c, m in zip(share, full, means, strict=True))
    assert clusters.count == 1
    np.testing.assert_allclose(clusters.mass[0], mass.sum(), rtol=1e-5)
    np.testing.assert_allclose(clusters.means[0], mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        clusters.covs[0][[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3), moment, rtol=1e-3, atol=1e-5
    )


def cost(clusters: Clusters, i: int, j: int) -> float:
    return float(pair_cost(i, j, clusters.state(), np.empty(3, np.float32), np.empty(6, np.float32)))


def test_the_cost_is_the_squared_difference_of_the_pictures() -> None:
    """Two discs facing the viewer, drawn and merged: the sum of squares is the closed form."""
    scene = Gaussians(
        np.array([[0, 0, 0], [0.12, 0.03, 0]], np.float32),
        np.tile(np.float32([1, 0, 0, 0]), (2, 1)),
        np.log(np.array([[0.1, 0.06, 1e-4], [0.05, 0.08, 1e-4]], np.float32)),
        np.array([-0.5, 0.2], np.float32),
        np.array([[[0.8, -0.4, 0.1]], [[-0.9, 0.2, 0.5]]], np.float32) / np.float32(SH_C0) * 0.4,
        np.zeros((2, 0, 3), np.float32),
    )
    clusters = begin(scene, seen(scene))
    step = 0.004
    x, y = np.meshgrid(np.arange(-1, 1, step), np.arange(-1, 1, step))

    def drawn(mean: np.ndarray, cov: np.ndarray, amplitude: float, color: np.ndarray) -> np.ndarray:
        inverse = np.linalg.inv(np.array([[cov[0], cov[1]], [cov[1], cov[3]]], np.float64))
        dx, dy = x - mean[0], y - mean[1]
        power = inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2
        channels = np.concatenate([color, [np.sqrt(0.3)]])
        return np.asarray((amplitude * np.exp(-0.5 * power))[..., None] * channels)

    c = clusters
    pair = sum(drawn(c.means[i], c.covs[i], c.amplitude[i], c.colors[i]) for i in range(2))
    predicted = cost(clusters, 0, 1)
    plane = [np.sqrt(c.covs[i][0] * c.covs[i][3] - c.covs[i][1] ** 2) for i in range(2)]
    flat_mass = sum(c.amplitude[i] * plane[i] for i in range(2))
    reduce(clusters, 1)
    merged_plane = np.sqrt(c.covs[0][0] * c.covs[0][3] - c.covs[0][1] ** 2)
    one = drawn(c.means[0], c.covs[0], flat_mass / merged_plane, c.colors[0])
    measured = np.square(pair - one).sum() * step * step * 1e4
    assert predicted == pytest.approx(measured, rel=0.02)


def test_like_neighbours_merge_before_unlike_ones() -> None:
    scene = cloud(4)
    scene.means[:] = [[0, 0, 0], [0.02, 0, 0], [3, 0, 0], [3.02, 0, 0]]
    scene.log_scales[:] = -3.0
    scene.opacity_logits[:] = 0.0
    scene.sh0[:] = 0.0
    scene.sh0[3] = 3.0
    clusters = begin(scene, seen(scene))
    place = reduce(clusters, 3)
    assert place[0] == place[1] and place[2] != place[3]


def test_what_is_not_merged_keeps_its_values() -> None:
    scene = cloud(64)
    clusters = begin(scene, seen(scene))
    place = reduce(clusters, 60)
    kept = to_gaussians(clusters)
    alone = np.flatnonzero(np.bincount(place)[place] == 1)
    assert len(alone) >= 56
    for name in ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN"):
        np.testing.assert_array_equal(getattr(kept, name)[place[alone]], getattr(scene, name)[alone])


def test_layers_are_one_tree() -> None:
    scene = cloud(4000)
    layers = build_layers(begin(scene, seen(scene)), 8)
    counts = [len(layer.gaussians) for layer in layers]
    assert counts == [4000, 571]
    assert layers[0].parents is not None and layers[-1].parents is None
    assert set(layers[0].parents) == set(range(571))
    pyramid = to_pyramid(layers)
    assert all((level.importance >= 0).all() and level.importance.any() for level in pyramid.levels)

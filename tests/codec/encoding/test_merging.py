"""Merging keeps what it should, and finds the pairs that cost least."""

import numpy as np
import pytest
from clouds import scattered, seen, uncut
from pair_twin import pair_cost

from exgs.codec.encoding.leaves import leaves_of
from exgs.codec.encoding.merge_tree import cheapest_first, plan_merges
from exgs.codec.encoding.merging import Clusters, reduce, to_gaussians
from exgs.codec.encoding.moments import area_of, covariances, rotations_and_scales
from exgs.codec.encoding.pairing import ALPHA_WEIGHT, find_partners
from exgs.raster.crew import Crew
from exgs.scene import SH_C0, Gaussians


def test_rotations_and_scales_undo_covariances() -> None:
    scene = scattered(200)
    covs = covariances(scene.quats, scene.log_scales)
    again = covariances(*rotations_and_scales(covs))
    np.testing.assert_allclose(again, covs, atol=1e-5 * np.abs(covs).max())


def test_a_sphere_shows_its_cross_section() -> None:
    assert area_of(np.array([4.0, 0.0, 0.0, 4.0, 0.0, 4.0], np.float32)) == pytest.approx(4.0)


def test_a_pair_keeps_mass_mean_and_second_moment() -> None:
    scene = scattered(2)
    clusters = uncut(scene)
    mass, means, covs = clusters.mass.copy(), clusters.rows.means.copy(), clusters.rows.covs.copy()
    share = mass / mass.sum()
    reduce(clusters, 1)
    mean = share @ means
    full = covs[:, [0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(2, 3, 3)
    moment = sum(s * (c + np.outer(m - mean, m - mean)) for s, c, m in zip(share, full, means, strict=True))
    assert clusters.count == 1
    np.testing.assert_allclose(clusters.mass[0], mass.sum(), rtol=1e-5)
    np.testing.assert_allclose(clusters.rows.means[0], mean, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(
        clusters.rows.covs[0][[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3), moment, rtol=1e-3, atol=1e-5
    )


def price_of(clusters: Clusters, i: int, j: int) -> float:
    """What the kernel asks for merging ``i`` and ``j``."""
    rows, count = clusters.rows, clusters.count
    strength = np.square(rows.colors).sum(axis=1) + np.float32(ALPHA_WEIGHT)
    state = (rows.means, rows.covs, rows.mass, rows.amplitude, rows.colors, rows.footprint, strength)
    partner, cost = np.empty(count, np.int32), np.empty(count, np.float32)
    find_partners(0, count, np.full((count, 1), j, np.int32), state, partner, cost)
    assert partner[i] == j
    return float(cost[i])


def test_prices_are_those_of_the_readable_twin() -> None:
    scene = scattered(60)
    scene.means[:] *= 0.05
    clusters = uncut(scene)
    for i in range(0, 60, 3):
        for j in range(1, 60, 7):
            if i != j:
                assert price_of(clusters, i, j) == pytest.approx(pair_cost(clusters, i, j), rel=2e-3)


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
    clusters = uncut(scene)
    step = 0.004
    x, y = np.meshgrid(np.arange(-1, 1, step), np.arange(-1, 1, step))

    def drawn(mean: np.ndarray, cov: np.ndarray, amplitude: float, color: np.ndarray) -> np.ndarray:
        inverse = np.linalg.inv(np.array([[cov[0], cov[1]], [cov[1], cov[3]]], np.float64))
        dx, dy = x - mean[0], y - mean[1]
        power = inverse[0, 0] * dx**2 + 2 * inverse[0, 1] * dx * dy + inverse[1, 1] * dy**2
        channels = np.concatenate([color, [np.sqrt(0.3)]])
        return np.asarray((amplitude * np.exp(-0.5 * power))[..., None] * channels)

    c = clusters
    pair = sum(drawn(c.rows.means[i], c.rows.covs[i], c.amplitude[i], c.colors[i]) for i in range(2))
    predicted = price_of(clusters, 0, 1)
    plane = [np.sqrt(c.rows.covs[i][0] * c.rows.covs[i][3] - c.rows.covs[i][1] ** 2) for i in range(2)]
    flat_mass = sum(c.amplitude[i] * plane[i] for i in range(2))
    reduce(clusters, 1)
    merged_plane = np.sqrt(c.rows.covs[0][0] * c.rows.covs[0][3] - c.rows.covs[0][1] ** 2)
    one = drawn(c.rows.means[0], c.rows.covs[0], flat_mass / merged_plane, c.colors[0])
    measured = np.square(pair - one).sum() * step * step * 1e4
    assert predicted == pytest.approx(measured, rel=0.02)


def test_like_neighbours_merge_before_unlike_ones() -> None:
    scene = scattered(4)
    scene.means[:] = [[0, 0, 0], [0.02, 0, 0], [3, 0, 0], [3.02, 0, 0]]
    scene.log_scales[:] = -3.0
    scene.opacity_logits[:] = 0.0
    scene.sh0[:] = 0.0
    scene.sh0[3] = 3.0
    clusters = uncut(scene)
    leaf = np.argsort(clusters.tree.leaves.index)
    place = reduce(clusters, 3)[leaf]
    assert place[0] == place[1] and place[2] != place[3]


def test_any_way_to_a_count_gives_the_same_clusters() -> None:
    scene = scattered(500)
    once, twice = (uncut(scene) for _ in range(2))
    straight = reduce(once, 40)
    detour = reduce(twice, 200)
    np.testing.assert_array_equal(reduce(twice, 40)[detour], straight)
    for name in ("means", "covs", "mass", "amplitude", "colors", "footprint"):
        np.testing.assert_allclose(getattr(twice.rows, name), getattr(once.rows, name), rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(twice.error, once.error, rtol=1e-4)


def test_a_copy_stays_where_it_is() -> None:
    clusters = uncut(scattered(100))
    reduce(clusters, 50)
    before = clusters.copy()
    means = before.rows.means.copy()
    reduce(clusters, 10)
    assert (before.count, clusters.count) == (50, 10)
    np.testing.assert_array_equal(before.rows.means, means)


def test_threads_do_not_change_the_tree() -> None:
    scene = scattered(300)
    leaves = leaves_of(scene, seen(scene))
    trees = [plan_merges(leaves, Crew(threads)) for threads in (1, 3)]
    np.testing.assert_array_equal(trees[0].merges, trees[1].merges)
    np.testing.assert_array_equal(trees[0].cost, trees[1].cost)
    assert len(set(trees[0].merges[:, 1].tolist())) == 299


def test_what_is_not_merged_keeps_its_values() -> None:
    scene = scattered(64)
    clusters = uncut(scene)
    place = reduce(clusters, 60)
    kept = to_gaussians(clusters)
    alone = np.flatnonzero(np.bincount(place)[place] == 1)
    source = clusters.tree.leaves.index[alone]
    assert len(alone) >= 56
    for name in ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN"):
        np.testing.assert_array_equal(getattr(kept, name)[place[alone]], getattr(scene, name)[source])


def test_the_cheapest_come_first_and_of_equal_ones_the_first() -> None:
    cost = np.random.default_rng(4).lognormal(0.0, 9.0, 500).astype(np.float32)
    cost[::7], cost[::11], cost[40:80] = 0.0, np.inf, cost[3]
    np.testing.assert_array_equal(cheapest_first(cost), np.argsort(cost, kind="stable"))
    assert len(cheapest_first(cost[:0])) == 0

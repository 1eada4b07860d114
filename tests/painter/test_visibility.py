"""Splats in view, counted by hand."""

import numpy as np
import pytest

from exgs.painter import splats_per_pixel
from exgs.scene import Camera, Gaussians


def grid(positions: np.ndarray) -> Gaussians:
    count = len(positions)
    return Gaussians(
        positions.astype(np.float32),
        np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        np.full((count, 3), -3, np.float32),
        np.zeros(count, np.float32),
        np.zeros((count, 1, 3), np.float32),
        np.zeros((count, 0, 3), np.float32),
    )


def camera(turned: float = 0.0) -> Camera:
    """At the origin, looks along z, 90 degrees either way; ``turned`` about y."""
    matrix = np.eye(4)
    matrix[:3, :3] = [[np.cos(turned), 0, np.sin(turned)], [0, 1, 0], [-np.sin(turned), 0, np.cos(turned)]]
    return Camera(matrix, 5, 5, 5, 5, 10, 10)


def test_what_is_in_the_picture_counts_and_nothing_else() -> None:
    scene = grid(
        np.array([(0, 0, 1), (0.9, 0, 1), (-0.9, 0.9, 1), (1.1, 0, 1), (0, -1.1, 1), (0, 0, -1), (0, 0, 0)])
    )
    assert splats_per_pixel(scene, [camera()]) == pytest.approx([3 / 100])


def test_every_camera_has_its_own() -> None:
    scene = grid(np.array([(0, 0, 1), (0, 0, 2), (0, 0, -1)]))
    assert splats_per_pixel(scene, [camera(), camera(np.pi)]) == pytest.approx([0.02, 0.01])


def test_a_sample_stands_for_many() -> None:
    rng = np.random.default_rng(1)
    scene = grid(rng.uniform(-1, 1, (200_000, 3)))
    share = np.mean(np.abs(scene.means[:, :2]).max(1) < scene.means[:, 2])
    assert splats_per_pixel(scene, [camera()])[0] == pytest.approx(2000 * share, rel=0.05)


def test_nothing_is_nothing() -> None:
    assert splats_per_pixel(grid(np.zeros((0, 3))), [camera(), camera()]).tolist() == [0, 0]

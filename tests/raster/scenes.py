"""Scenes and cameras that the tests of the rasterisers draw."""

import numpy as np

from exgs.scene import SH_COEFFICIENTS, Camera, Gaussians


def cloud(count: int, *, seed: int = 0, sh_degree: int = 0, size: float = 0.08) -> Gaussians:
    """A ball of Gaussians around the origin, of every shape and opacity."""
    random = np.random.default_rng(seed)

    def normal(*shape: int, scale: float = 1.0) -> np.ndarray:
        return (random.standard_normal(shape) * scale).astype(np.float32)

    return Gaussians(
        means=normal(count, 3, scale=0.6),
        quats=normal(count, 4),
        log_scales=normal(count, 3, scale=0.7) + np.float32(np.log(size)),
        opacity_logits=normal(count, scale=2.5),
        sh0=normal(count, 1, 3),
        shN=normal(count, SH_COEFFICIENTS[sh_degree], 3, scale=0.3),
    )


def camera(size: tuple[int, int] = (72, 56), *, angle_rad: float = 0.4, away: float = 3.0) -> Camera:
    """A camera that looks at the origin."""
    position = np.array([np.sin(angle_rad), -0.3, -np.cos(angle_rad)]) * away
    return Camera.looking(position, np.zeros(3), np.array([0.0, -1, 0]), fov_y_rad=0.9, size=size)

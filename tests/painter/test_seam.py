"""What leaves pictures alone, and how pictures come to a restorer."""

from collections.abc import Sequence

import numpy as np
import pytest

from exgs.painter import Identity, Pictures, Restored, Restorer, draw
from exgs.raster import Rendering, Telling
from exgs.scene import Camera, Gaussians
from tests.painter.test_visibility import camera, grid


class Recording:
    """Draws grey, and notes whether depth was wanted."""

    name = "recording"

    def __init__(self) -> None:
        self.depths: list[bool] = []

    def render(
        self, gaussians: Gaussians, cameras: Sequence[Camera], *, depth: bool = False, weights: bool = False
    ) -> Rendering:
        self.depths.append(depth)
        shape = (len(cameras), cameras[0].height, cameras[0].width)
        found = np.full(shape, 2, np.float32) if depth else None
        return Rendering(np.full((*shape, 3), 0.5, np.float32), np.ones(shape, np.float32), found)

    def share_out(self, gaussians: Gaussians, camera: Camera, tell: Telling) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError


class Sparse:
    """Wants depth of what has less than a splat in fifty pixels."""

    name = "sparse"

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        return bool((splats_per_pixel < 0.02).any())

    def restore(self, pictures: Pictures) -> Restored:
        return Restored(1 - pictures.color, "restored")

    def forget(self) -> None:
        raise NotImplementedError


def test_identity_gives_back_the_very_picture() -> None:
    restorer: Restorer = Identity()
    color = np.random.default_rng(1).random((2, 4, 5, 3), np.float32)
    before = color.copy()
    given = Pictures(color, np.ones((2, 4, 5), np.float32), (), np.zeros(2))
    restored = restorer.restore(given)
    assert restored.color is color
    assert restored.verdict == "off"
    assert (color == before).all()
    assert not restorer.wants_depth(np.zeros(2))


@pytest.mark.parametrize("splats", [1, 3])
def test_depth_is_drawn_only_where_it_is_wanted(splats: int) -> None:
    rasterizer = Recording()
    scene = grid(np.tile([0.0, 0.0, 1.0], (splats, 1)))
    pictures = draw(rasterizer, Sparse(), scene, [camera()])
    assert rasterizer.depths == [splats == 1]
    assert (pictures.depth is not None) == (splats == 1)
    assert pictures.splats_per_pixel == pytest.approx([splats / 100])
    assert pictures.color.shape == (1, 10, 10, 3) and pictures.alpha.shape == (1, 10, 10)
    assert len(pictures.cameras) == 1

"""The readable twin against closed forms."""

import numpy as np
import pytest

from exgs.raster.twin import TwinRasterizer
from exgs.scene import Camera, Gaussians


def ahead(depths: list[float], *, opacity_logit: float = 0.0, grey: float = 1.0) -> Gaussians:
    """Round Gaussians on the optical axis, all of one colour."""
    count = len(depths)
    means = np.zeros((count, 3), np.float32)
    means[:, 2] = depths
    return Gaussians(
        means=means,
        quats=np.tile(np.float32([1, 0, 0, 0]), (count, 1)),
        log_scales=np.full((count, 3), np.log(0.1), np.float32),
        opacity_logits=np.full(count, opacity_logit, np.float32),
        sh0=np.full((count, 1, 3), (grey - 0.5) / 0.28209479177387814, np.float32),
        shN=np.zeros((count, 0, 3), np.float32),
    )


def lens(side: int = 21, focal: float = 20.0) -> Camera:
    return Camera(np.eye(4), focal, focal, side / 2, side / 2, side, side)


def test_a_round_gaussian_fades_as_its_projected_variance_says() -> None:
    alpha = TwinRasterizer().render(ahead([2.0]), [lens()]).alpha[0]
    variance = (20 * 0.1 / 2) ** 2 + 0.3
    assert alpha[10, 10] == pytest.approx(0.5)
    assert alpha[10, 12] == pytest.approx(0.5 * np.exp(-2.0 / variance), rel=1e-5)
    assert alpha[0, 0] == 0


def test_nearer_gaussians_hide_farther_ones_whatever_their_order() -> None:
    scene = ahead([3.0, 1.0])
    scene.sh0[0] = -5  # the farther one is black
    rendering = TwinRasterizer().render(scene, [lens()], depth=True, weights=True)
    assert rendering.color[0, 10, 10, 0] == pytest.approx(0.5, abs=1e-5)
    assert rendering.alpha[0, 10, 10] == pytest.approx(0.75)
    assert rendering.weight_max == pytest.approx([0.25, 0.5])
    assert rendering.depth is not None
    assert rendering.depth[0, 10, 10] == pytest.approx((0.5 * 1 + 0.25 * 3) / 0.75)


def test_alpha_is_cut_at_099() -> None:
    rendering = TwinRasterizer().render(ahead([2.0], opacity_logit=20.0), [lens()])
    assert rendering.alpha[0, 10, 10] == pytest.approx(0.99)


def test_pixels_stop_once_they_are_opaque() -> None:
    scene = ahead([1.0, 2.0, 3.0, 4.0], opacity_logit=float(np.log(0.98 / 0.02)))
    rendering = TwinRasterizer().render(scene, [lens(side=1)], weights=True)
    assert rendering.weight_max == pytest.approx([0.98, 0.98 * 0.02, 0.98 * 0.02**2, 0], rel=1e-5)


@pytest.mark.parametrize("depth", [0.009, -1.0, 0.0])
def test_what_is_not_in_front_is_not_drawn(depth: float) -> None:
    assert not TwinRasterizer().render(ahead([depth]), [lens()]).alpha.any()

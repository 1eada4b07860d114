from dataclasses import replace

import numpy as np
import pytest

from exgs.painter import Identity, Pictures, Restored
from exgs.painter.evaluation import Sight, evaluate
from exgs.painter.gains import Gain, gain_of
from exgs.raster import choose_rasterizer
from exgs.raster.quality import Quality
from exgs.scene import SH_C0, generate_interior, sample_views


class Brightener:
    """Undoes a darkening by half; wants depth, to see whether it comes."""

    name = "brightener"

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        return bool((splats_per_pixel > 0).any())

    def restore(self, pictures: Pictures) -> Restored:
        assert pictures.depth is not None
        return Restored(2 * pictures.color, "restored")


@pytest.fixture(scope="module")
def scene():
    return generate_interior(seed=2, count=1500).with_sh_degree(0)


def test_a_restorer_is_judged_against_the_source(scene):
    rasterizer = choose_rasterizer("cpu", threads=1)
    cameras = sample_views(scene, 2, seed=5, size=(64, 48))
    grey = np.float32(0.25 / SH_C0)  # half of 0.5 + SH_C0 * sh0 is 0.5 + SH_C0 * (sh0 / 2 - 0.25 / SH_C0)
    dark = replace(scene, sh0=scene.sh0 / 2 - grey)
    seen: list[tuple[str, int, Sight]] = []
    copies = [("dark", dark), ("source", scene)]
    gains = evaluate(
        scene, copies, cameras, restorer=Brightener(), rasterizer=rasterizer,
        show=lambda *what: seen.append(what),
    )  # fmt: skip
    assert list(gains) == ["dark", "source"]
    assert [(name, view) for name, view, _ in seen] == [
        ("dark", 0),
        ("dark", 1),
        ("source", 0),
        ("source", 1),
    ]
    assert gains["source"].psnr < -10
    assert gains["dark"].pictures == 2
    assert gains["dark"].psnr > 10
    for _, _, sight in seen:
        assert np.array_equal(sight.restored, 2 * sight.damaged)
        assert sight.alpha.shape == (48, 64)


def test_what_leaves_pictures_alone_gains_nothing(scene):
    rasterizer = choose_rasterizer("cpu", threads=1)
    cameras = sample_views(scene, 1, seed=5, size=(64, 48))
    few = scene.select(slice(None, None, 3))
    (gain,) = evaluate(scene, [("few", few)], cameras, restorer=Identity(), rasterizer=rasterizer).values()
    assert (gain.psnr, gain.flip) == (0, 0)
    assert gain.ssim_before == gain.ssim_after
    assert 5 < gain.psnr_before < 60


def test_gains_are_means_over_pictures():
    before = [Quality(20, 0.5, 0.2), Quality(30, 0.7, 0.4)]
    after = [Quality(22, 0.6, 0.1), Quality(30, 0.8, 0.2)]
    gain = gain_of(before, after)
    assert (gain.pictures, gain.psnr) == (2, 1)
    assert gain.flip == pytest.approx(0.5)
    assert (gain.ssim_before, gain.ssim_after) == pytest.approx((0.6, 0.7))
    assert Gain(1, 1, 1, 0, 0).flip == 1

"""Weights are what the pictures show; parents have those of their children."""

import numpy as np
import pytest
from clouds import cloud

from exgs.codec.encoding.survey import Survey, survey
from exgs.codec.encoding.visibility import LEAST_WEIGHT
from exgs.codec.encoding.weighing import weighed
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.raster.cpu import CpuRasterizer
from exgs.scene import Gaussians, sample_views


@pytest.fixture(scope="module")
def cpu() -> CpuRasterizer:
    return CpuRasterizer(threads=2)


@pytest.fixture(scope="module")
def scene() -> Gaussians:
    scene = cloud(60, sh_degree=0)
    scene.opacity_logits[7] = -9.0
    return scene


@pytest.fixture(scope="module")
def views(scene: Gaussians, cpu: CpuRasterizer) -> Survey:
    return survey(scene, sample_views(scene, 4, size=(80, 60)), cpu)


def test_one_level_has_the_weights_of_the_views(scene: Gaussians, views: Survey, cpu: CpuRasterizer) -> None:
    level = weighed(Pyramid((Level(scene, None, np.ones(60, np.float32)),)), views, cpu).levels[0]
    assert level.weight is not None
    least = LEAST_WEIGHT * np.median(views.weight_sum)
    np.testing.assert_allclose(level.weight, np.maximum(views.weight_sum, least), rtol=1e-3)
    assert level.weight[7] == pytest.approx(least, rel=1e-3)


def test_parents_weigh_what_their_children_do(scene: Gaussians, views: Survey, cpu: CpuRasterizer) -> None:
    """Forty fine splats have ten parents; ten more coarse splats have no child."""
    fine, coarse = scene.select(slice(0, 40)), scene.select(slice(40, 60))
    parents = (np.arange(40) // 4).astype(np.int32)
    pyramid = Pyramid(
        (Level(fine, parents, np.ones(40, np.float32)), Level(coarse, None, np.ones(20, np.float32)))
    )
    finer, coarser = weighed(pyramid, views, cpu).levels
    assert finer.weight is not None and coarser.weight is not None
    sums = np.bincount(parents, finer.weight)
    np.testing.assert_allclose(coarser.weight[:10], sums, rtol=0.2)
    assert (coarser.weight[10:] > 0).all() and coarser.weight[10:].std() > 0

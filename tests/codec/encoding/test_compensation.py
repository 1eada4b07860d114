"""Colours are fitted to what quantising did; what it left out stays out."""

import numpy as np
import pytest
from clouds import cloud

from exgs.codec import decode
from exgs.codec.encoding.compensation import compensate
from exgs.codec.encoding.fidelity import mean_psnr
from exgs.codec.encoding.rate import BALANCED
from exgs.codec.encoding.survey import survey
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.codec.writing.serializer import serialize_measured
from exgs.raster.cpu import CpuRasterizer
from exgs.scene import sample_views


@pytest.fixture(scope="module")
def cpu() -> CpuRasterizer:
    return CpuRasterizer(threads=2)


@pytest.mark.parametrize("sh_degree", [0, 1])
def test_colours_make_up_for_coarse_shapes(cpu: CpuRasterizer, sh_degree: int) -> None:
    scene = cloud(300, sh_degree=sh_degree)
    views = survey(scene, sample_views(scene, 16, size=(80, 60)), cpu)
    pyramid = Pyramid((Level(scene, None, np.ones(300, np.float32)),))
    coarse = BALANCED.scaled(2.0)
    file = serialize_measured(pyramid, coarse)
    better = compensate(pyramid, file, views, cpu)
    np.testing.assert_array_equal(better.levels[0].gaussians.means, scene.means)
    again = decode(serialize_measured(better, coarse).data)
    assert mean_psnr(again, views, cpu) > mean_psnr(decode(file.data), views, cpu) + 0.3


def test_harmonics_that_were_left_out_stay_out(cpu: CpuRasterizer) -> None:
    scene = cloud(300)
    scene.shN[100:] *= 0.01
    views = survey(scene, sample_views(scene, 16, size=(80, 60)), cpu)
    pyramid = Pyramid((Level(scene, None, np.ones(300, np.float32)),))
    file = serialize_measured(pyramid, BALANCED)
    index = file.places[0][1]
    left_out = index[~decode(file.data).shN.any(axis=(1, 2))] if len(file.places) == 1 else None
    assert left_out is not None and len(left_out) > 150
    found = compensate(pyramid, file, views, cpu).levels[0].gaussians
    assert not np.abs(found.shN[left_out]).max() > 1e-6
    assert np.abs(found.shN).max() > 0.01

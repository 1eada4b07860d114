"""A scene is refined by its photographs, and by what it was not fitted to."""

from dataclasses import replace

import numpy as np
import pytest
from clouds import cloud

from exgs.codec import Photographs, refine
from exgs.codec.encoding.effort import EFFORTS
from exgs.raster import Rasterizer, choose_rasterizer, to_bytes
from exgs.raster.quality import psnr
from exgs.scene import Gaussians, sample_views


@pytest.fixture(scope="module")
def cpu() -> Rasterizer:
    return choose_rasterizer("cpu")


def taken(scene: Gaussians, count: int, cpu: Rasterizer) -> Photographs:
    cameras = tuple(sample_views(scene, count, size=(80, 60)))
    return Photographs(
        cameras, np.stack([to_bytes(cpu.render(scene, [camera]).color[0]) for camera in cameras])
    )


def test_what_was_reconstructed_badly_comes_nearer_to_the_truth(
    cpu: Rasterizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exgs.codec.encoding.refining.EFFORT", replace(EFFORTS["fast"], draws=60))
    truth = cloud(150)
    noise = np.random.default_rng(5).normal(0.0, 0.05, truth.means.shape).astype(np.float32)
    made = replace(truth, means=truth.means + noise)
    better = refine(made, taken(truth, 12, cpu), rasterizer=cpu)
    others = sample_views(truth, 6, seed=9, size=(80, 60))

    def worth(scene: Gaussians) -> float:
        pairs = ([cpu.render(one, [camera]).color[0] for one in (truth, scene)] for camera in others)
        return float(np.mean([psnr(*pair) for pair in pairs]))

    assert len(better) == len(made)
    assert worth(better) > worth(made) + 1.0


def test_two_photographs_change_nothing(cpu: Rasterizer) -> None:
    scene = cloud(40)
    assert refine(scene, taken(scene, 2, cpu), rasterizer=cpu) is scene

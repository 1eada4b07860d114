"""Any prefix of a file is useful, and a longer one is never worse."""

import numpy as np
import pytest

from exgs.codec import EncodeConfig, decode, encode, open_container
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.raster.quality import psnr
from exgs.scene import Gaussians, generate_interior, sample_views

NOISE_DB = 0.05
"""What views of an encoding differ by where nothing is wrong."""


@pytest.fixture(scope="module")
def cpu() -> Rasterizer:
    return choose_rasterizer("cpu")


def fidelities(scene: Gaussians, data: bytes, ends: list[int], cpu: Rasterizer) -> np.ndarray:
    """Mean PSNR [dB], over views that no encoder sees, of the prefixes that stop at ``ends``."""
    cameras = sample_views(scene, 6, seed=777, size=(160, 90))
    pictures = [cpu.render(scene, [camera]).color[0] for camera in cameras]
    found = []
    for end in ends:
        shown = decode(data, end)
        pairs = zip(pictures, cameras, strict=True)
        found.append(np.mean([psnr(a, cpu.render(shown, [camera]).color[0]) for a, camera in pairs]))
    return np.array(found)


def test_no_prefix_is_worse_than_a_shorter_one(cpu: Rasterizer) -> None:
    scene = generate_interior(seed=5, count=8000)
    data = encode(scene, EncodeConfig(ratio=20, effort="fast", views=24), rasterizer=cpu).data
    ends = [chunk.offset + chunk.size_bytes for chunk in open_container(data).manifest]
    found = fidelities(scene, data, ends, cpu)
    assert len(ends) > 8 and found[-1] > found[0] + 3.0
    assert (found >= np.maximum.accumulate(found) - NOISE_DB).all()

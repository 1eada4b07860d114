"""Views that neither the encoder nor the referee uses, and what a file is worth over them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exgs.codec import decode
from exgs.raster import Rasterizer
from exgs.raster.quality import psnr
from exgs.scene import Camera, Gaussians, sample_views

SEED = 777
"""Of the views."""
SIZE = (640, 360)
"""Of their pictures, in pixels; the referee's are as large."""


def judging_views(scene: Gaussians, count: int) -> list[Camera]:
    """``count`` views of ``scene``."""
    return sample_views(scene, count, seed=SEED, size=SIZE)


def mean_psnr(
    scene: Gaussians, decoded: Gaussians, cameras: Sequence[Camera], rasterizer: Rasterizer
) -> float:
    """Mean PSNR [dB] of ``decoded`` against ``scene`` over the cameras, one picture at a time."""
    pairs = ([rasterizer.render(g, [camera]).color[0] for g in (scene, decoded)] for camera in cameras)
    return float(np.mean([psnr(reference, test) for reference, test in pairs]))


class Reference:
    """A scene from the views above, drawn once, for any number of files to be judged by."""

    def __init__(self, scene: Gaussians, views: int, rasterizer: Rasterizer) -> None:
        """Draws so many ``views`` of ``scene``, which is then let go."""
        self._cameras, self._rasterizer = judging_views(scene, views), rasterizer
        self._pictures = [rasterizer.render(scene, [camera]).color[0] for camera in self._cameras]

    def mean_psnr(self, decoded: Gaussians) -> float:
        """Mean PSNR [dB] of ``decoded``."""
        drawn = (self._rasterizer.render(decoded, [camera]).color[0] for camera in self._cameras)
        return float(np.mean([psnr(*pair) for pair in zip(self._pictures, drawn, strict=True)]))


def fidelity(scene: Gaussians, data: bytes, views: int, rasterizer: Rasterizer) -> float:
    """Mean PSNR [dB] of the file ``data`` against ``scene`` over so many of the views above."""
    return mean_psnr(scene, decode(data), judging_views(scene, views), rasterizer)

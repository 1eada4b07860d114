"""The CPU rasteriser against the independent referee on real scenes."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from exgs.raster import choose_rasterizer
from exgs.raster.quality import psnr
from exgs.scene import read_cameras, read_scene

pytestmark = pytest.mark.shared


@pytest.mark.skipif(shutil.which("g++") is None, reason="the referee needs g++ to compile itself")
@pytest.mark.parametrize(("scene", "cameras"), [("luma-seal.splat", "luma-seal"), ("skull.sog", "skull")])
def test_pictures_agree_with_the_referee(
    scene: str, cameras: str, shared_data: Path, referee: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(referee), *sys.path])
    import referee as judge

    path, camera_path = shared_data / "scenes" / scene, shared_data / "cameras" / f"{cameras}.json"
    library, theirs = judge.library(), judge.Scene(path)
    ours, cpu = read_scene(path), choose_rasterizer("cpu")
    entries = json.loads(camera_path.read_text())["cameras"]
    for camera, entry in list(zip(read_cameras(camera_path), entries, strict=True))[::12]:
        picture, alpha = judge.render(library, theirs, entry)
        rendering = cpu.render(ours, [camera])
        assert psnr(picture, rendering.color[0]) > 60
        assert np.abs(alpha - rendering.alpha[0]).mean() < 1e-4

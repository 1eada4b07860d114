"""What sessions of a scene share, and when it is another."""

from dataclasses import replace
from pathlib import Path

import pytest

from exgs.experiments.config import SceneSpec
from exgs.experiments.material import Workbench
from exgs.raster import choose_rasterizer
from exgs.scene import Gaussians, generate_interior, write_scene

SCENE = generate_interior(seed=1, count=1000)


def checksum(folder: Path, gaussians: Gaussians) -> str:
    path = folder / "scene.ply"
    write_scene(path, gaussians)
    bench = Workbench(folder, choose_rasterizer("cpu"), splat_transform="none", say=print)
    return bench.source(SceneSpec("scene", path)).checksum


@pytest.mark.parametrize("field", ["means", "quats", "log_scales", "opacity_logits", "sh0"])
def test_scenes_that_differ_in_anything_that_is_drawn_are_told_apart(tmp_path: Path, field: str) -> None:
    values = getattr(SCENE, field).copy()
    values.flat[0] += 0.5
    before = checksum(tmp_path, SCENE)
    assert checksum(tmp_path, SCENE) == before
    assert checksum(tmp_path, replace(SCENE, **{field: values})) != before

"""What sessions of a scene share, and when it is another."""

from dataclasses import replace
from pathlib import Path

import pytest

from exgs.experiments.config import Generated, SceneSpec
from exgs.experiments.errors import ExperimentError
from exgs.experiments.material import Workbench, check_scenes
from exgs.raster import choose_rasterizer
from exgs.scene import Gaussians, SceneError, generate_interior, write_scene
from tests.client.stage import encoded

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


def test_scenes_are_opened_before_anything_else(tmp_path: Path) -> None:
    source, stream, empty = (tmp_path / name for name in ("scene.ply", "scene.ugc", "empty.splat"))
    write_scene(source, SCENE)
    stream.write_bytes(encoded())
    empty.write_bytes(b"")
    check_scenes([SceneSpec("fine", source, stream), SceneSpec("made", Generated(), stream)])
    with pytest.raises(SceneError, match=r"empty\.splat"):
        check_scenes([SceneSpec("empty", empty)])
    with pytest.raises(SceneError, match=r"empty\.splat"):
        check_scenes([SceneSpec("fine", source, sog=empty)])
    stream.write_bytes(stream.read_bytes()[:-1])
    with pytest.raises(ExperimentError, match=r"scene\.ugc: "):
        check_scenes([SceneSpec("made", Generated(), stream)])

"""The door: which format a path means, and what is said of it."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest

from exgs.scene import Frame, Gaussians, SceneError, describe, read_scene, write_scene
from exgs.scene.read import READABLE, open_scene


def scene(count: int = 6, higher: int = 8) -> Gaussians:
    rng = np.random.default_rng(0)
    shapes = ((3,), (4,), (3,), (), (1, 3), (higher, 3))
    return Gaussians(*(rng.normal(size=(count, *shape)).astype(np.float32) for shape in shapes))


def test_description_of_a_ply(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    source = scene()
    source.means[2, 0] = np.nan
    source.shN[3, 1, 1] = np.inf
    size = write_scene(path, source)
    found = describe(path)
    assert found.path == str(path)
    assert (found.format, found.version) == ("INRIA PLY", "binary_little_endian")
    assert (found.count, found.sh_degree, found.frame) == (6, 2, Frame("RDF"))
    assert (found.size_bytes, found.float_bytes) == (size, source.float_bytes)
    assert found.non_finite == 2
    assert found.level_counts == ()
    kept = source.means[np.isfinite(source.means).all(1)]
    assert found.bounds_min == tuple(kept.min(0).tolist())
    assert found.bounds_max == tuple(kept.max(0).tolist())


def test_reading_keeps_values_that_are_not_finite(tmp_path: Path) -> None:
    source = scene()
    source.means[2, 0] = np.nan
    write_scene(tmp_path / "a.ply", source)
    np.testing.assert_array_equal(read_scene(tmp_path / "a.ply").means, source.means)


def test_infinite_opacity_is_full_opacity(tmp_path: Path) -> None:
    source = scene()
    source.opacity_logits[:2] = np.inf, -np.inf
    write_scene(tmp_path / "a.ply", source)
    found = read_scene(tmp_path / "a.ply").opacity_logits
    assert 12 < found[0] < 20 and found[1] == -np.inf
    np.testing.assert_array_equal(found[2:], source.opacity_logits[2:])


def test_a_description_can_be_written_as_json(tmp_path: Path) -> None:
    write_scene(tmp_path / "a.spz", scene())
    document = json.loads(json.dumps(dataclasses.asdict(describe(tmp_path / "a.spz"))))
    assert document["frame"] == {"axes": "RUB", "metres_per_unit": None}
    assert (document["format"], document["version"], document["count"]) == ("SPZ", "v3", 6)


def test_without_a_scan_the_data_are_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_scene(tmp_path / "a.ply", scene())
    monkeypatch.setattr("exgs.scene.formats.ply._read", lambda *_: pytest.fail("the data were read"))
    found = describe(tmp_path / "a.ply", scan=False)
    assert (found.count, found.bounds_min, found.bounds_max, found.non_finite) == (6, None, None, None)


def test_extensions_in_capitals_and_paths_as_text(tmp_path: Path) -> None:
    write_scene(tmp_path / "A.PLY", scene())
    assert len(read_scene(str(tmp_path / "A.PLY"))) == 6


def test_a_file_may_have_an_at_in_its_name(tmp_path: Path) -> None:
    write_scene(tmp_path / "a.ply", scene(3))
    (tmp_path / "a.ply").rename(tmp_path / "b@2.ply")
    assert len(read_scene(tmp_path / "b@2.ply")) == 3
    folder = tmp_path / "scene@2"
    folder.mkdir()
    with pytest.raises(SceneError, match=r"scene@2: a folder without lod-meta\.json or meta\.json"):
        read_scene(folder)


def test_opening_reads_the_header_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.ply"
    write_scene(path, scene())
    opened = open_scene(path)
    assert (opened.count, opened.sh_degree) == (6, 2)
    np.testing.assert_array_equal(opened.read().means, scene().means)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "format_name", "version", "levels"),
    [
        ("skull.sog", "SOG", "v2", 0),
        ("guitar.compressed.ply", "compressed PLY", "", 0),
        ("luma-seal.splat", "splat", "", 0),
        ("playbot", "streamed SOG", "level 0 of 7, 1 parts", 7),
        ("flowers@1", "streamed SOG", "level 1 of 4, 2 parts", 4),
        ("flowers/3_0", "SOG", "v2", 0),
        ("flowers/3_0/meta.json", "SOG", "v2", 0),
    ],
)
def test_descriptions_of_real_scenes(
    name: str, format_name: str, version: str, levels: int, shared_data: Path
) -> None:
    found = describe(shared_data / "scenes" / name)
    assert (found.format, found.version, len(found.level_counts)) == (format_name, version, levels)
    assert found.non_finite == 0
    assert 0.02 < found.size_bytes / found.float_bytes < 0.6
    assert found.bounds_min is not None and found.bounds_max is not None
    assert all(low < high for low, high in zip(found.bounds_min, found.bounds_max, strict=True))


def test_every_readable_extension_is_documented() -> None:
    assert read_scene.__doc__ is not None
    for extension in READABLE:
        assert extension in read_scene.__doc__

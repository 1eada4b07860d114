"""Outputs of pictures: whole, or as it was before."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.outputs import CAMERA_FILE, EYES_FILE, PictureFolder, picture_output
from exgs.scene import SceneError
from tests.cli.conftest import Command

PICTURE = np.full((4, 6, 3), 0.5, np.float32)


class Stopped(Exception):
    pass


def stopping(after: int) -> Iterator[np.ndarray]:
    for _ in range(after):
        yield PICTURE
    raise Stopped


@pytest.mark.parametrize("name", ["one.png", "film.mp4", "folder"])
def test_what_stops_half_way_leaves_nothing(tmp_path: Path, name: str) -> None:
    output = picture_output(str(tmp_path / name), overwrite=False, fps=30)
    views = ["a"] if name == "one.png" else ["a", "b", "c"]
    output.expect(views)
    with pytest.raises(Stopped):
        output.write(stopping(len(views) - 1))
    assert not list(tmp_path.iterdir())


def test_a_folder_keeps_what_was_there_when_work_stops(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"old")
    output = picture_output(str(tmp_path), overwrite=True, fps=30)
    output.expect(["a", "b"])
    with pytest.raises(Stopped):
        output.write(stopping(1))
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"
    output.write([PICTURE, PICTURE])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]
    assert (tmp_path / "a.png").read_bytes() != b"old"


def test_a_folder_is_asked_about_every_picture_first(tmp_path: Path) -> None:
    (tmp_path / "b.png").write_bytes(b"old")
    with pytest.raises(UsageError, match=r"b\.png exists"):
        picture_output(str(tmp_path), overwrite=False, fps=30).expect(["a", "b"])


@pytest.mark.parametrize("name", ["", "x.jpg", "gone/x.png", "is.png", "is.mp4", "file"])
def test_names_that_cannot_be_outputs(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("is.png", "is.mp4"):
        (tmp_path / folder).mkdir()
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(UsageError):
        picture_output(name, overwrite=True, fps=30)


def test_a_disk_that_refuses_is_an_error_with_the_folder_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    output = PictureFolder(str(folder), overwrite=False)
    output.expect(["a"])
    folder.write_bytes(b"")  # taken meanwhile
    with pytest.raises(CommandError, match="folder: pictures cannot be written"):
        output.write([PICTURE])


def test_a_disk_that_takes_no_camera_file_has_lost_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object, **_named: object) -> None:
        raise SceneError("no space left")

    (tmp_path / EYES_FILE).write_text("old")
    folder = PictureFolder(str(tmp_path), overwrite=True)
    with monkeypatch.context() as full, pytest.raises(SceneError):
        full.setattr("exgs.cli.outputs.write_cameras", fail)
        folder.keep([], None)
    assert (tmp_path / EYES_FILE).read_text() == "old"
    folder.keep([], None)
    assert [path.name for path in tmp_path.iterdir()] == [CAMERA_FILE]


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="needs a folder that takes no file")
def test_a_folder_where_nothing_can_be_made_is_refused_at_once() -> None:
    with pytest.raises(CommandError, match="/proc: no file can be made there"):
        picture_output("/proc/pictures", overwrite=False, fps=30)


def test_a_dry_run_draws_and_writes_nothing(exgs: Command, scene_path: Path, tmp_path: Path) -> None:
    code, out, _ = exgs("render", scene_path, "null", "--orbit", "2", "--size", "16x16")
    assert code == 0 and "written" not in out
    assert not Path("null").exists() and not list(tmp_path.iterdir())

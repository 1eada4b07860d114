"""Names on the command line, looked at before anything is read."""

from pathlib import Path

import pytest

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.paths import check_output, check_scene_output, find_inputs


def test_inputs_that_are_there_and_levels_of_them_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.ply").touch()
    (tmp_path / "b@2").touch()
    there = (str(tmp_path), f"{tmp_path}@1", str(tmp_path / "a.ply"), str(tmp_path / "b@2"), None)
    find_inputs(*there)
    with pytest.raises(CommandError) as error:
        find_inputs(*there, str(tmp_path / "absent"))
    assert str(error.value) == f"{tmp_path / 'absent'}: no such file or folder"


@pytest.mark.parametrize("name", ["absent", "absent@1", "a.ply@x", "a.ply/b"])
def test_what_is_not_there_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.ply").touch()
    with pytest.raises(CommandError, match=f"{name}: no such file or folder"):
        find_inputs(str(tmp_path), str(tmp_path / name))


def test_an_output_is_a_path_or_nothing_for_a_dry_run(tmp_path: Path) -> None:
    new, old = tmp_path / "new.PNG", tmp_path / "old.png"
    old.touch()
    assert check_output("null", overwrite=False) is None
    assert check_output(str(new), overwrite=False, suffixes=(".png",)) == new
    assert check_output(str(old), overwrite=True, suffixes=(".png",)) == old
    assert sorted(path.name for path in tmp_path.iterdir()) == ["old.png"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("-", "nothing is written to standard output"),
        ("x.jpg", "expected a name that ends in .png"),
        ("", "the output: expected a name"),
        ("old.png", "old.png exists; -w replaces it"),
        ("folder.png", "folder.png: is a folder"),
        ("gone/x.png", "gone: no such folder"),
    ],
)
def test_an_output_that_cannot_be_written_is_wrong_usage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old.png").touch()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(UsageError, match=reason):
        check_output(name, overwrite=False, suffixes=(".png",))


def test_a_scene_is_written_in_a_format_that_can_be_and_never_over_its_source(tmp_path: Path) -> None:
    source, link = tmp_path / "a.ply", tmp_path / "link.ply"
    source.touch()
    link.symlink_to(source)
    assert check_scene_output("null", source=str(source), overwrite=False) is None
    assert check_scene_output(str(tmp_path / "b.spz"), source=str(source), overwrite=True) is not None
    beside = check_scene_output(str(tmp_path / "b.ugc"), source=str(source), overwrite=True, beside=(".ugc",))
    assert beside == tmp_path / "b.ugc"
    for path in (source, link):
        with pytest.raises(UsageError, match="is the input too"):
            check_scene_output(str(path), source=str(source), overwrite=True)
    for name, reason in (("b.ugc", "expected a name that ends"), ("b.compressed.ply", "cannot write this")):
        with pytest.raises(UsageError, match=reason):
            check_scene_output(str(tmp_path / name), source=str(source), overwrite=True)

"""Folders to write into."""

from __future__ import annotations

from pathlib import Path

import pytest

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.folders import check_folder_name, make_folder, try_nearest


@pytest.mark.parametrize("name", ["file", "file/within", "file/within/deeper"])
def test_what_is_a_file_is_no_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("kept")
    with pytest.raises(UsageError, match="file exists and is no folder"):
        make_folder(tmp_path / name)
    assert (tmp_path / "file").read_text() == "kept"


def test_a_folder_is_made_with_what_it_lies_in_and_left_empty(tmp_path: Path) -> None:
    check_folder_name(tmp_path / "new" / "one")
    assert not (tmp_path / "new").exists()
    made = make_folder(tmp_path / "new" / "one")
    assert made.is_dir() and not list(made.iterdir())
    assert make_folder(made) == made


def test_a_folder_that_takes_no_file_is_told_at_once() -> None:
    with pytest.raises(CommandError, match="/proc"):
        make_folder(Path("/proc/nothing"))
    with pytest.raises(CommandError, match="/proc: no file can be made there"):
        try_nearest(Path("/proc/nothing/deeper"))


def test_trying_what_is_to_be_made_makes_nothing(tmp_path: Path) -> None:
    try_nearest(tmp_path / "new" / "one")
    try_nearest(tmp_path)
    assert not list(tmp_path.iterdir())

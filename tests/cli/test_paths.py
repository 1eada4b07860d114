"""Names on the command line, looked at before anything is read."""

from pathlib import Path

import pytest

from exgs.cli.errors import CommandError
from exgs.cli.paths import find_inputs


def test_inputs_that_are_there_and_levels_of_them_are_found(tmp_path: Path) -> None:
    (tmp_path / "a.ply").touch()
    (tmp_path / "b@2").touch()
    find_inputs(str(tmp_path), f"{tmp_path}@1", str(tmp_path / "a.ply"), str(tmp_path / "b@2"), None)


@pytest.mark.parametrize("name", ["absent", "absent@1", "a.ply@x", "a.ply/b"])
def test_what_is_not_there_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.ply").touch()
    with pytest.raises(CommandError, match=f"{name}: no such file or folder"):
        find_inputs(str(tmp_path), str(tmp_path / name))

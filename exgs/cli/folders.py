"""Folders that commands write into: made where there are none, tried before the work."""

from __future__ import annotations

import tempfile
from pathlib import Path

from exgs.cli.errors import CommandError, UsageError


def check_folder_name(folder: Path) -> None:
    """Refuses a name for a folder of outputs where no folder can be.

    Raises:
        UsageError: it, or what it is to lie in, is a file; or it is the dash of standard output.
    """
    refuse_dash(folder)
    for path in (folder, *folder.absolute().parents):
        if path.exists():
            if not path.is_dir():
                raise UsageError(f"{path} exists and is no folder")
            return


def refuse_dash(output: Path) -> None:
    """Refuses what other programs call standard output: something of that name on the disk would surprise.

    Raises:
        UsageError: it is called so.
    """
    if str(output) == "-":
        raise UsageError("-: nothing is written to standard output; name a file or folder")


def make_folder(folder: Path) -> Path:
    """Makes the folder of outputs where there is none yet.

    Raises:
        UsageError: it, or what it is to lie in, is a file.
        CommandError: it cannot be made, or takes no file.
    """
    check_folder_name(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandError(f"{folder}: cannot be made ({error.strerror or error})") from error
    try_folder(folder)
    return folder


def try_folder(folder: Path) -> None:
    """Makes a file in ``folder``, and leaves none: better told now than after the work.

    Raises:
        CommandError: no file can be made there.
    """
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CommandError(f"{folder}: no file can be made there ({error.strerror or error})") from error


def try_nearest(folder: Path) -> None:
    """As ``try_folder``, where ``folder`` is to be made later: in what there is of its path.

    Raises:
        CommandError: no file can be made there.
    """
    try_folder(next(path for path in (folder, *folder.absolute().parents) if path.is_dir()))

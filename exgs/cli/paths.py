"""The names that a command was given: inputs that must be there, outputs that nothing may be lost by.

What is told here is told before anything heavy is imported.
"""

from __future__ import annotations

import re
from pathlib import Path

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.folders import refuse_dash, try_folder

UGC_SUFFIX = ".ugc"
VIDEO_SUFFIX, PICTURE_SUFFIX = ".mp4", ".png"
"""Of what ``exgs render`` writes."""
DRY_RUN = "null"
"""The output name that means: do the work, write nothing."""


def is_ugc(path: str) -> bool:
    """Whether ``path`` is called a .ugc file."""
    return path.lower().endswith(UGC_SUFFIX)


def find_inputs(*paths: str | None) -> None:
    """Finds out whether what the command is to read is there; what it is, its reader tells.

    A level of detail may be named behind an ``@``. None stands for an input that was not given.

    Raises:
        CommandError: one is not there.
        OSError: one cannot be looked at.
    """
    for path in paths:
        if path is None or Path(re.sub(r"@\d{1,3}$", "", path)).exists():
            continue
        try:
            Path(path).stat()
        except (FileNotFoundError, NotADirectoryError) as error:
            raise CommandError(f"{path}: no such file or folder") from error


def check_output(path: str, *, overwrite: bool, suffixes: tuple[str, ...] | None = None) -> Path | None:
    """The path to write to, or None for a dry run.

    Raises:
        UsageError: the name has none of the ``suffixes`` or is the dash of standard output, the file exists
            and may not be replaced, or its folder does not exist.
        CommandError: no file can be made in that folder.
    """
    if path == DRY_RUN:
        return None
    target = Path(path)
    refuse_dash(target)
    if suffixes is not None and target.suffix.lower() not in suffixes:
        raise UsageError(f"{path or 'the output'}: expected a name that ends in {' or '.join(suffixes)}")
    if target.is_dir() and suffixes is not None:
        raise UsageError(f"{path}: is a folder")
    if target.exists() and not overwrite:
        raise UsageError(f"{path} exists; -w replaces it")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"{target.parent}: no such folder")
    try_folder(target.parent)
    return target


def check_scene_output(
    path: str, *, source: str, overwrite: bool, beside: tuple[str, ...] = ()
) -> Path | None:
    """The path to write a scene to, or None for a dry run; ``beside`` are suffixes that the caller writes.

    Raises:
        UsageError: as for ``check_output``; or the output would replace ``source``, the scene it is made of.
    """
    if path == DRY_RUN:
        return None

    from exgs.scene.write import WRITABLE, can_write

    if Path(path).exists() and Path(source).exists() and Path(path).samefile(source):
        raise UsageError(f"{path} is the input too: write to another name, the original may be all there is")
    target = check_output(path, overwrite=overwrite, suffixes=(*WRITABLE, *beside))
    if target is not None and target.suffix.lower() not in beside and not can_write(target):
        raise UsageError(f"{path}: cannot write this format; writable: {', '.join(WRITABLE)}")
    return target

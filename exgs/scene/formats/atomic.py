"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from exgs.scene.errors import SceneError

MAX_ATTEMPTS = 1000


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write that takes the place of ``path`` when the block ends, and vanishes where it fails.

    Raises:
        SceneError: the folder is missing or may not be written, ``path`` is a folder, or the disk is full.
    """
    try:
        if path.is_dir():
            raise SceneError(f"{path}: a folder, cannot write a file there")
        file, part = _create(path)
        try:
            with file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise SceneError(f"{path}: cannot be written ({error.strerror or error})") from error


def write_bytes(path: Path, data: bytes) -> None:
    """Writes ``data`` to ``path``, whole or not at all.

    Raises:
        SceneError: as for ``replacing``.
    """
    with replacing(path) as file:
        file.write(data)


def _create(path: Path) -> tuple[BinaryIO, Path]:
    """A new file beside ``path``: a rename is atomic within one folder only."""
    for attempt in range(MAX_ATTEMPTS):
        part = path.with_name(f".{path.name}.{attempt}.part")
        try:
            return part.open("xb"), part
        except FileExistsError:
            continue
    raise SceneError(f"{path}: {MAX_ATTEMPTS} unfinished copies (.part) stand in its folder")

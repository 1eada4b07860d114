"""Opening inputs of any kind and writing outputs without losing anything."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exgs.cli.errors import UsageError
from exgs.codec import open_container
from exgs.scene import Gaussians, drop_non_finite, read_scene

UGC_SUFFIX = ".ugc"
SCENE_OUTPUTS = (".ply", ".spz")
DRY_RUN = "null"
"""The output name that means: do the work, write nothing."""


def is_ugc(path: str) -> bool:
    """Whether ``path`` is called a .ugc file."""
    return path.lower().endswith(UGC_SUFFIX)


def read_ugc(path: str) -> bytes:
    """The bytes of a .ugc file; its preamble is checked.

    Raises:
        DecodeError: it is no .ugc file.
    """
    data = Path(path).read_bytes()
    open_container(data)
    return data


def read_any(path: str, *, max_bytes: int | None = None, drop: bool = False) -> Gaussians:
    """The Gaussians of a scene in any readable format, or of a .ugc file.

    ``max_bytes`` reads only that prefix of a .ugc file; ``drop`` leaves out Gaussians that are not finite.
    """
    if is_ugc(path):
        from exgs.codec import decode

        return decode(Path(path).read_bytes(), max_bytes=max_bytes)
    gaussians = read_scene(path)
    return drop_non_finite(gaussians)[0] if drop else gaussians


def check_output(path: str, *, overwrite: bool, suffixes: tuple[str, ...] | None = None) -> Path | None:
    """The path to write to, or None for a dry run.

    Raises:
        UsageError: the name has none of the ``suffixes``, the file exists and may not be replaced, or its
            folder does not exist.
    """
    if path == DRY_RUN:
        return None
    target = Path(path)
    if suffixes is not None and target.suffix.lower() not in suffixes:
        raise UsageError(f"{path}: expected a name that ends in {' or '.join(suffixes)}")
    if target.is_dir() and suffixes is not None:
        raise UsageError(f"{path}: is a folder")
    if target.exists() and not overwrite:
        raise UsageError(f"{path} exists; -w replaces it")
    if not target.absolute().parent.is_dir():
        raise UsageError(f"{target.parent}: no such folder")
    return target


def write_atomically(path: Path, write: Callable[[Any], None]) -> None:
    """Calls ``write`` with a binary file beside ``path`` and puts it in place when all is on disk."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.absolute().parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask

"""Writes scenes: the format is chosen by the file's extension."""

from __future__ import annotations

from pathlib import Path

from exgs.scene.errors import SceneError
from exgs.scene.formats.ply import write_ply
from exgs.scene.formats.spz_writer import write_spz
from exgs.scene.gaussians import Gaussians

_WRITERS = {".ply": write_ply, ".spz": write_spz}
WRITABLE = tuple(_WRITERS)
"""Extensions of files that ``write_scene`` makes."""


def write_scene(path: str | Path, gaussians: Gaussians) -> int:
    """Writes ``gaussians`` in the frame of the format; the file appears whole or not at all.

    An existing file is replaced: whoever asks the user first does so before.

    Returns:
        Bytes written.

    Raises:
        SceneError: the extension is not writable, the format cannot hold a value, or the disk refuses.
    """
    path = Path(path)
    if not can_write(path):
        raise SceneError(f"{path}: cannot write this format; writable: {', '.join(WRITABLE)}")
    return _WRITERS[path.suffix.lower()](path, gaussians)


def can_write(path: Path) -> bool:
    """Whether ``write_scene`` makes files of this name."""
    name = path.name.lower()
    return path.suffix.lower() in _WRITERS and not name.endswith(".compressed.ply") and "\0" not in name

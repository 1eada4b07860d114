"""Where weights are found, and how they are taken from there: whole or not at all."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from exgs.painter.errors import PainterError
from exgs.painter.manifest import MAX_MANIFEST_BYTES, Manifest

SIZES = ("tiny", "small", "base")
"""The sizes that may be shipped, smallest first."""
SHELF = Path(__file__).parent / "weights"
MANIFEST = "manifest.json"
FILES = {"onnx": "model.onnx", "safetensors": "model.safetensors"}
MAX_MODEL_BYTES = 1 << 30


@dataclass(frozen=True)
class Weights:
    """A folder of weights whose manifest was read."""

    folder: Path
    """Where they are."""
    manifest: Manifest
    """What they are."""

    def read(self, kind: str) -> bytes:
        """The bytes of the file of a kind, ``onnx`` or ``safetensors``, checked against the manifest.

        Raises:
            PainterError: there is no such file, or it is not the one that the manifest names.
        """
        path = self.folder / FILES[kind]
        if kind not in self.manifest.sha256:
            raise PainterError(f"{self.folder / MANIFEST}: names no {FILES[kind]}")
        data = _read(path, MAX_MODEL_BYTES)
        if hashlib.sha256(data).hexdigest() != self.manifest.sha256[kind]:
            raise PainterError(f"{path}: not the file that {MANIFEST} names (sha256 differs); copy it again")
        return data


def shipped(shelf: Path = SHELF) -> tuple[str, ...]:
    """The sizes of which weights came with the package, smallest first."""
    return tuple(size for size in SIZES if (shelf / size / MANIFEST).is_file())


def open_weights(name: str, shelf: Path = SHELF) -> Weights:
    """The weights of a size that is shipped, or of any folder of that path.

    Raises:
        PainterError: there are none.
    """
    folder = shelf / name if name in SIZES else Path(name)
    if name in SIZES and name not in shipped(shelf):
        others = ", ".join(shipped(shelf)) or "none"
        raise PainterError(f"no weights of size {name} came with this package (there are: {others})")
    if not folder.is_dir():
        raise PainterError(f"{name}: expected one of {', '.join(SIZES)}, or a folder with {MANIFEST}")
    path = folder / MANIFEST
    return Weights(folder, Manifest.parse(_read(path, MAX_MANIFEST_BYTES), str(path)))


def _read(path: Path, most_bytes: int) -> bytes:
    """The bytes of a file that is no larger than ``most_bytes``."""
    try:
        if not path.is_file():
            raise PainterError(f"{path}: there is no such file")
        if path.stat().st_size > most_bytes:
            raise PainterError(f"{path}: {path.stat().st_size:,} bytes, expected {most_bytes:,} at most")
        return path.read_bytes()
    except OSError as error:
        raise PainterError(f"{path}: {error.strerror}") from error

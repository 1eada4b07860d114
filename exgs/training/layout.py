"""Folders of data to learn from: an ``.npz`` file for each scene, and an index of them."""

from __future__ import annotations

import json
import math
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from exgs.scene.formats.atomic import replacing, write_bytes
from exgs.scene.formats.bounded import read_object

MAX_INDEX_BYTES = 16 << 20
MAX_FILE_BYTES = 512 << 20
MAX_UNPACKED_BYTES = 4 << 30


@dataclass(frozen=True)
class Layout:
    """How the folders of one kind of data are laid out."""

    index: str
    """What the index is called."""
    version: int
    """Of index and files."""
    file: str
    """What the file of a scene is, in messages."""
    command: str
    """What makes such a folder."""
    arrays: tuple[str, ...]
    """Names of what the file of a scene holds."""
    error: type[Exception]
    """What is raised of a folder or a file that is none."""

    def write_index(self, folder: Path, facts: Mapping[str, Any], scenes: Sequence[str]) -> None:
        """Writes which ``scenes`` lie in ``folder``, and the ``facts`` of how they were made.

        Raises:
            SceneError: the file cannot be written.
        """
        document = {"version": self.version, "scenes": list(scenes), **facts}
        write_bytes(folder / self.index, (json.dumps(document, indent=1) + "\n").encode())

    def read_index(self, folder: Path) -> dict[str, Any]:
        """The index of ``folder``.

        Raises:
            error: there is none, or it is of another version.
        """
        path = folder / self.index
        if not path.is_file():
            raise self.error(f"{path}: no such file; '{self.command}' makes such a folder")
        document = read_object(path, MAX_INDEX_BYTES, self.error)
        if document.get("version") != self.version:
            raise self.error(f"{path}: expected an index of version {self.version}")
        scenes = document.get("scenes")
        if not isinstance(scenes, list) or not scenes or not all(_is_name(scene) for scene in scenes):
            raise self.error(f'{path}: expected a non-empty list of names, "scenes"')
        return document

    def files(self, folder: Path) -> list[Path]:
        """The files of the scenes in ``folder``, in the order of its index.

        Raises:
            error: as for ``read_index``.
        """
        return [folder / f"{scene}.npz" for scene in self.read_index(folder)["scenes"]]

    def write(self, folder: Path, scene: str, arrays: Mapping[str, np.ndarray]) -> Path:
        """Writes the file of ``scene``, which is called after it.

        Raises:
            SceneError: the file cannot be written.
        """
        path = folder / f"{scene}.npz"
        with replacing(path) as stream:
            np.savez_compressed(stream, **{name: arrays[name] for name in self.arrays})  # type: ignore[arg-type]
        return path

    def read(self, path: Path) -> dict[str, np.ndarray]:
        """The arrays in the file of a scene; whether they belong together is not looked at.

        Raises:
            error: it is no such file, or a damaged or a boundless one.
        """
        try:
            if path.stat().st_size > MAX_FILE_BYTES:
                raise self.error(f"{path}: larger than {MAX_FILE_BYTES} bytes, no {self.file}")
            with zipfile.ZipFile(path) as archive:
                self._check(path, archive)
            with np.load(path, allow_pickle=False) as arrays:
                return {name: arrays[name] for name in self.arrays}
        except OSError as error:
            raise self.error(f"{path}: {error.strerror or error}") from error
        except (KeyError, ValueError, EOFError, TypeError, zipfile.BadZipFile, zlib.error) as error:
            raise self.error(f"{path}: not a {self.file} ({error})") from error

    def _check(self, path: Path, archive: zipfile.ZipFile) -> None:
        """Refuses what would unpack to too much, or states arrays that are larger than their bytes."""
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > MAX_UNPACKED_BYTES:
            raise self.error(f"{path}: unpacks to more than {MAX_UNPACKED_BYTES} bytes")
        for entry in entries:
            if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED) or entry.flag_bits & 1:
                raise self.error(f"{path}: not a {self.file} (packed as none is)")
            with archive.open(entry) as stream:
                if np.lib.format.read_magic(stream) != (1, 0):
                    raise self.error(f"{path}: not a {self.file} (an array of another version)")
                shape, _, kind = np.lib.format.read_array_header_1_0(stream)
            if math.prod(shape) * kind.itemsize > entry.file_size:
                raise self.error(f"{path}: not a {self.file} ({entry.filename[:40]} is cut short)")


def kind_of(scene: str) -> str:
    """``interior`` or ``object``, by what a scene is called."""
    return "interior" if scene.startswith("interior-") else "object"


def _is_name(scene: object) -> bool:
    return isinstance(scene, str) and scene != "" and Path(scene).name == scene

"""Named files that belong together: in a folder, or in a zip archive."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from pathlib import Path
from typing import BinaryIO, Protocol

from exgs.scene.errors import SceneError
from exgs.scene.formats.scene_file import file_size, read_exactly

MAX_NAME_LENGTH = 512
MAX_ZIP_ENTRIES = 1024
MAX_ZIP_DIRECTORY_BYTES = 1 << 20
MAX_ZIP_COMMENT_BYTES = 0xFFFF

_END_RECORD = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR_BYTES = 20
_FAULTS = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
"""What the zip reader of the standard library raises on broken archives."""
_PLAIN_NAME = re.compile(r"(?!\.{1,2}$)[^/\\:\x00-\x1f]{1,255}")


class Bundle(Protocol):
    """Where the files of a SOG scene are."""

    where: str
    """What messages call it."""

    def read(self, name: str, *, most: int) -> bytes:
        """The file called ``name``, of at most ``most`` bytes (SceneError where it is missing or larger)."""

    def size_bytes(self, name: str) -> int:
        """Bytes on disk of the file called ``name``."""


def check_relative(name: str, *, where: str) -> str:
    """``name`` where it is a relative path that cannot leave its folder; SceneError otherwise."""
    if len(name) > MAX_NAME_LENGTH or not all(_PLAIN_NAME.fullmatch(part) for part in name.split("/")):
        raise SceneError(f"{where}: {name[:80]!r} is no file name within the scene's folder")
    return name


class FolderBundle:
    """The files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.where = str(folder)
        self._folder = folder

    def read(self, name: str, *, most: int) -> bytes:
        """See ``Bundle``."""
        size = self.size_bytes(name)
        if size > most:
            raise SceneError(f"{self.where}/{name}: {size} bytes, expected at most {most}")
        with (self._folder / name).open("rb") as file:
            return read_exactly(file, size, where=f"{self.where}/{name}")

    def size_bytes(self, name: str) -> int:
        """See ``Bundle``."""
        try:
            return file_size(self._folder / check_relative(name, where=self.where))
        except FileNotFoundError as error:
            raise SceneError(f"{self.where}/{name}: the file is missing") from error


class ZipBundle:
    """The files of a zip archive, stored or deflated, in the folder of its meta.json."""

    def __init__(self, path: Path) -> None:
        self.where = str(path)
        self._path = path
        with path.open("rb") as file:
            _check_directory(path, file, file_size(path))
            with _opened(path, file) as archive:
                names = {info.filename: info for info in archive.infolist()}
        metas = sorted((name for name in names if name.split("/")[-1] == "meta.json"), key=len)
        if not metas:
            raise SceneError(f"{path}: a zip archive without meta.json: not a SOG scene")
        self._prefix = metas[0].removesuffix("meta.json")
        self._entries = names

    def read(self, name: str, *, most: int) -> bytes:
        """See ``Bundle``."""
        entry = self._entry(name)
        if entry.file_size > most:
            raise SceneError(f"{self.where}/{name}: {entry.file_size} bytes, expected at most {most}")
        try:
            with (
                self._path.open("rb") as file,
                _opened(self._path, file) as archive,
                archive.open(entry) as stream,
            ):
                data = stream.read(entry.file_size + 1)
        except _FAULTS as error:
            raise SceneError(f"{self.where}/{name}: broken zip entry ({str(error)[:100]})") from error
        if len(data) != entry.file_size:
            raise SceneError(f"{self.where}/{name}: {len(data)} of {entry.file_size} bytes are there")
        return data

    def size_bytes(self, name: str) -> int:
        """See ``Bundle``."""
        return self._entry(name).compress_size

    def _entry(self, name: str) -> zipfile.ZipInfo:
        entry = self._entries.get(self._prefix + name)
        if entry is None:
            raise SceneError(f"{self.where}/{name[:80]}: no such file in the zip archive")
        if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SceneError(
                f"{self.where}/{name}: zip compression method {entry.compress_type} is not supported"
            )
        return entry


def _opened(path: Path, file: BinaryIO) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(file)
    except _FAULTS as error:
        raise SceneError(f"{path}: broken zip archive ({str(error)[:100]})") from error


def _check_directory(path: Path, file: BinaryIO, size: int) -> None:
    """Refuses a directory so large that listing it would take much memory."""
    tail_bytes = min(size, _END_RECORD.size + MAX_ZIP_COMMENT_BYTES + _ZIP64_LOCATOR_BYTES)
    file.seek(size - tail_bytes)
    tail = read_exactly(file, tail_bytes, where=str(path))
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or at + _END_RECORD.size > len(tail):
        raise SceneError(f"{path}: zip archive without a directory at its end (cut off?)")
    entries, directory_bytes = _END_RECORD.unpack_from(tail, at)[4:6]
    if b"PK\x06\x07" in tail[max(0, at - _ZIP64_LOCATOR_BYTES) : at]:
        raise SceneError(f"{path}: zip64 archives are not supported")
    if entries > MAX_ZIP_ENTRIES or directory_bytes > MAX_ZIP_DIRECTORY_BYTES:
        raise SceneError(
            f"{path}: zip directory of {entries} entries in {directory_bytes} bytes is too large"
        )

"""Which scenes there are: a folder or a single file on disk, under names that are safe in a URL."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exgs.feedforward.folders import INDEXES as VIEW_INDEXES
from exgs.feedforward.folders import views_index, views_shortage
from exgs.server.errors import ServerError, UnknownScene

ENCODED_SUFFIX = ".ugc"
SOURCE_SUFFIXES = (".compressed.ply", ".ply", ".spz", ".splat", ".sog")
"""Longest first where one ends another: the name of a scene is the file's name without its suffix."""
FOLDER_INDEXES = ("lod-meta.json", "meta.json")
"""A folder that holds one of these is itself a scene (SOG); the first one found is what is read. So is a
folder of posed pictures, which are reconstructed when somebody asks for them."""
INDEXES = (*FOLDER_INDEXES, *VIEW_INDEXES)
MAX_SCENES = 10_000
MAX_FILES_PER_SCENE = 10_000
MAX_NAME_BYTES = 100
"""Of UTF-8; a number may follow. The protocol takes 128."""
HASH_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class SceneEntry:
    """One scene on disk."""

    name: str
    """What viewers call it: letters, digits and ``._-`` only."""
    path: Path
    """What to open, or of a folder of views what lists them; symbolic links resolved."""
    files: tuple[Path, ...]
    """Every file that belongs to it, in order of name."""
    size_bytes: int
    """Of all its files together."""
    stamp: str
    """Changes when a file's size or time of change does."""

    @property
    def encoded(self) -> bool:
        """Whether it is a .ugc file, to be served as it is."""
        return self.path.suffix.lower() == ENCODED_SUFFIX

    @property
    def views(self) -> bool:
        """Whether it is a folder of views, which a network turns into a scene first."""
        return self.path.name in VIEW_INDEXES

    def content_hash(self) -> str:
        """SHA-256 over the relative names and bytes of all files, as hexadecimal digits."""
        digest = hashlib.sha256()
        home = self.path.parent
        for file in self.files:
            name = file.relative_to(home).as_posix()
            digest.update(f"{name}\0{file.stat().st_size}\0".encode(errors="surrogateescape"))
            with file.open("rb") as stream:
                while block := stream.read(HASH_BLOCK_BYTES):
                    digest.update(block)
        return digest.hexdigest()


class Catalogue:
    """The scenes under one folder (its own files and direct subfolders), or one single scene.

    Symbolic links that lead out of the folder are left out. ``rescan`` looks at the disk again.
    """

    def __init__(self, root: Path) -> None:
        """Looks at ``root`` for the first time.

        Raises:
            ServerError: there is nothing at ``root``, or a single file of no known format.
        """
        if not root.exists():
            raise ServerError(f"{root}: no such file or folder")
        self._root = root.resolve()
        self._single = not self._root.is_dir() or _is_one_scene(self._root)
        if self._single and not self._root.is_dir() and _stem(self._root) is None:
            known = " ".join((ENCODED_SUFFIX, *SOURCE_SUFFIXES))
            raise ServerError(f"{root}: not a scene; expected a folder or a file named {known}")
        self._entries: dict[str, SceneEntry] = {}
        self.rescan()

    def rescan(self) -> None:
        """Looks at the disk again: new files appear, vanished ones go.

        Raises:
            ServerError: the folder cannot be read any more.
        """
        found = [scene for path in self._candidates() if (scene := self._inspect(path)) is not None]
        found.sort(key=lambda scene: (not scene.encoded, scene.path.name))
        self._entries = _name_apart(found)

    def passed_over(self) -> list[tuple[str, str]]:
        """Folders that look like views and are no scene now, each with what it lacks; the root itself first
        where nothing at all is served. Looks at the disk, so it belongs into a thread.

        Raises:
            ServerError: the folder cannot be read any more.
        """
        candidates = self._candidates()
        return self._shortages(candidates if self._entries else [self._root, *candidates])

    def names(self) -> list[str]:
        """All scenes' names, sorted."""
        return sorted(self._entries)

    def entries(self) -> list[SceneEntry]:
        """All scenes, sorted by name."""
        return [self._entries[name] for name in self.names()]

    def find(self, name: str) -> SceneEntry:
        """The scene called ``name``. Names are looked up, never turned into paths.

        Raises:
            UnknownScene: there is none.
        """
        try:
            return self._entries[name]
        except KeyError:
            raise UnknownScene("no scene of that name is served") from None

    def _candidates(self) -> list[Path]:
        """What may be a scene, in order of name."""
        try:
            return [self._root] if self._single else sorted(self._root.iterdir())[:MAX_SCENES]
        except OSError as error:
            raise ServerError(f"the folder of scenes cannot be read: {error.strerror}") from error

    def _inspect(self, path: Path) -> SceneEntry | None:
        """The scene at ``path``, with its plain name; None where there is none that may be served."""
        stem = path.name if path.is_dir() else _stem(path)
        if stem is None or (path.name.startswith(".") and not self._single):
            return None
        try:
            target = path.resolve(strict=True)
            opened = _index(target) if target.is_dir() else target
            if opened is None or not self._inside(target):
                return None
            files = tuple(_walk(target)) if target.is_dir() else (target,)
            if len(files) > MAX_FILES_PER_SCENE or not all(self._may_serve(file) for file in files):
                return None
            if not all(self._inside(link.resolve()) for link in _linked_folders(target)):
                return None
            return SceneEntry(_safe(stem), opened, files, *_size_and_stamp(files))
        except OSError:
            return None  # vanished or unreadable while we looked: the next scan decides

    def _shortages(self, paths: list[Path]) -> list[tuple[str, str]]:
        """What those of ``paths`` lack that are folders in the folder and no scenes, but nearly views."""
        found = []
        for path in paths:
            hidden = path.name.startswith(".") and path != self._root
            with contextlib.suppress(OSError):  # vanished or unreadable: the next scan decides
                if path.is_dir() and not hidden and self._inside(path.resolve()) and _index(path) is None:
                    found.append((path.name, views_shortage(path)))
        return [(name, shortage) for name, shortage in found if shortage]

    def _may_serve(self, file: Path) -> bool:
        """Whether it is a regular file (a pipe would block) that lies, links followed, in the folder."""
        return file.is_file() and self._inside(file.resolve())

    def _inside(self, path: Path) -> bool:
        return path.is_relative_to(self._root)


def _stem(path: Path) -> str | None:
    """The file's name without the suffix of a scene; None where it has none."""
    lower = path.name.lower()
    for suffix in (ENCODED_SUFFIX, *SOURCE_SUFFIXES):
        if lower.endswith(suffix) and len(lower) > len(suffix):
            return path.name[: -len(suffix)]
    return None


def _index(folder: Path) -> Path | None:
    """The file that makes ``folder`` a scene, or what makes it a folder of views."""
    there = (folder / name for name in FOLDER_INDEXES if (folder / name).is_file())
    return next(there, None) or views_index(folder)


def _is_one_scene(folder: Path) -> bool:
    """Whether ``folder`` is a scene itself; views among which scenes lie are but a folder of scenes."""
    index = _index(folder)
    if index is None or index.name in FOLDER_INDEXES:
        return index is not None
    return not any(_stem(path) for path in folder.iterdir() if path.is_file())


def _walk(folder: Path) -> Iterator[Path]:
    """Files below ``folder`` in a fixed order; links to folders are not followed."""
    count = 0
    for place, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            yield Path(place, name)
            count += 1
            if count > MAX_FILES_PER_SCENE:
                return


def _linked_folders(folder: Path) -> Iterator[Path]:
    """Links to folders below ``folder``: who reads it by name would follow them."""
    for place, folders, _ in os.walk(folder):
        yield from (path for name in folders if (path := Path(place, name)).is_symlink())


def _size_and_stamp(files: tuple[Path, ...]) -> tuple[int, str]:
    digest, total = hashlib.sha256(), 0
    for file in files:
        status = file.stat()
        total += status.st_size
        digest.update(f"{file}\0{status.st_size}\0{status.st_mtime_ns}\0".encode(errors="surrogateescape"))
    return total, digest.hexdigest()


def _safe(text: str) -> str:
    """``text`` with everything but letters, digits and ``._-`` replaced, so that it can stand in a URL."""
    plain = re.sub(r"[^\w.\-]+", "-", unicodedata.normalize("NFC", text)).strip("-.")
    return plain.encode()[:MAX_NAME_BYTES].decode(errors="ignore") or "scene"


def _name_apart(scenes: list[SceneEntry]) -> dict[str, SceneEntry]:
    """Scenes by name: the first of a name keeps it, others take their full file name, then a number."""
    named: dict[str, SceneEntry] = {}
    for scene in scenes:
        folder_or_file = scene.path.parent if scene.path.name in INDEXES else scene.path
        name = scene.name if scene.name not in named else _safe(folder_or_file.name)
        base, number = name, 2
        while name in named:
            name, number = f"{base}-{number}", number + 1
        named[name] = SceneEntry(name, scene.path, scene.files, scene.size_bytes, scene.stamp)
    return named

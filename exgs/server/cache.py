"""Encoded scenes kept on disk: written atomically, checked when read, the least recently used thrown out."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import re
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

from exgs.codec import EncodeConfig
from exgs.server.errors import ServerError
from exgs.version import __version__

DEFAULT_MAX_BYTES = 8 << 30
TEMPORARY_SUFFIX = ".tmp"
STALE_AFTER_S = 3600.0
"""A temporary file older than this was left by a server that died."""
_FILE_NAME = re.compile(r"([0-9a-f]{64})-([0-9a-f]{32})\.ugc")

logger = logging.getLogger(__name__)


class Cache:
    """Files named ``KEY-CHECKSUM.ugc`` in one folder, which several servers may share.

    The time of change of a file is the time of its last use. Not safe for two threads at once.
    """

    def __init__(self, folder: Path, *, max_bytes: int = DEFAULT_MAX_BYTES) -> None:
        """Makes the folder and clears what a server that died left in it.

        Raises:
            ServerError: the folder cannot be made or written to.
        """
        self._folder = folder
        self._max_bytes = max_bytes
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, "not writable")
            self._clear_stale()
        except FileExistsError as error:
            raise ServerError(f"cache folder {folder}: is a file, expected a folder") from error
        except OSError as error:
            raise ServerError(f"cache folder {folder}: {error.strerror}") from error

    def get(self, key: str) -> bytes | None:
        """The bytes stored under ``key``, or None. A file that fails its checksum is deleted."""
        for path, (stored_key, checksum) in self._files().items():
            if stored_key != key:
                continue
            try:
                data = path.read_bytes()
                if _checksum(data) == checksum:
                    os.utime(path)
                    return data
                logger.warning("cache: %s is damaged and will be made again", path.name)
                path.unlink(missing_ok=True)
            except OSError as error:
                logger.warning("cache: %s: %s", path.name, error.strerror)
        return None

    def put(self, key: str, data: bytes) -> bool:
        """Stores ``data`` under ``key``; False where it does not fit or the disk refuses (logged)."""
        if len(data) > self._max_bytes:
            return False
        try:
            self._evict(self._max_bytes - len(data), replacing=key)
            self._write(self._folder / f"{key}-{_checksum(data)}.ugc", data)
        except OSError as error:
            logger.warning("cache: cannot store %d bytes: %s", len(data), error.strerror)
            return False
        return True

    def remove(self, key: str) -> None:
        """Forgets what is stored under ``key``."""
        for path, (stored_key, _) in self._files().items():
            if stored_key == key:
                with contextlib.suppress(OSError):
                    path.unlink()

    def size_bytes(self) -> int:
        """Bytes of all complete files."""
        return sum(size for _, size, _ in self._by_age())

    def _files(self) -> dict[Path, tuple[str, str]]:
        """Complete files with their key and checksum."""
        found = {path: _FILE_NAME.fullmatch(path.name) for path in sorted(self._folder.iterdir())}
        return {path: (match[1], match[2]) for path, match in found.items() if match}

    def _by_age(self) -> list[tuple[float, int, Path]]:
        """Time of last use, size and path of every complete file, oldest first."""
        ages = []
        for path in self._files():
            with contextlib.suppress(FileNotFoundError):
                status = path.stat()
                ages.append((status.st_mtime, status.st_size, path))
        return sorted(ages)

    def _evict(self, room_bytes: int, *, replacing: str) -> None:
        """Deletes the old version of a key, then the least recently used until ``room_bytes`` suffice."""
        self.remove(replacing)
        ages = self._by_age()
        total = sum(size for _, size, _ in ages)
        for _, size, path in ages:
            if total <= room_bytes:
                return
            path.unlink(missing_ok=True)
            total -= size

    def _write(self, target: Path, data: bytes) -> None:
        handle, name = tempfile.mkstemp(suffix=TEMPORARY_SUFFIX, dir=self._folder)
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)

    def _clear_stale(self) -> None:
        for path in self._folder.glob(f"*{TEMPORARY_SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_mtime < time.time() - STALE_AFTER_S:
                    path.unlink()


def cache_key(content_hash: str, config: EncodeConfig) -> str:
    """64 hexadecimal digits for a scene of that content, encoded so by this version."""
    words = json.dumps([content_hash, asdict(config), __version__], sort_keys=True)
    return hashlib.sha256(words.encode()).hexdigest()


def _checksum(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def _sync_folder(folder: Path) -> None:
    """Makes the new name itself durable, where the system can open folders."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)

"""A folder of analyses, so that a scene is encoded for another budget in seconds."""

from __future__ import annotations

import os
import zipfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np

from exgs.codec.encoding.analysis import Analysis, from_arrays, to_arrays
from exgs.raster.crew import Crew
from exgs.scene import Gaussians, SceneError
from exgs.scene.formats.atomic import replacing

DEFAULT_MAX_BYTES = 4 << 30
"""The folder's analyses are kept below this; those not used for longest go first."""
SUFFIX = ".analysis"
"""Of the files of the folder."""
ABANDONED_S = 24 * 3600.0
"""Age of an unfinished file, beside a new one, from which on nobody is writing it any more."""


class AnalysisCache:
    """Analyses by key. What goes wrong costs time, never the encoding: it is told in one line."""

    def __init__(
        self, folder: Path, *, max_bytes: int = DEFAULT_MAX_BYTES, warn: Callable[[str], None]
    ) -> None:
        self._folder, self._max_bytes, self._warn = folder, max_bytes, warn

    def get(self, key: str, prepared: Gaussians) -> Analysis | None:
        """The analysis of ``prepared``; None where there is none, or none that can be used."""
        path = self._folder / f"{key}{SUFFIX}"
        try:
            found = from_arrays(_read(path), prepared)
            os.utime(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            self._warn(f"the analysis in {path} cannot be read ({error.strerror or error}): made anew")
            return None
        except (
            KeyError, ValueError, IndexError, TypeError, AttributeError, EOFError, MemoryError,
            SceneError, zipfile.BadZipFile, zlib.error, NotImplementedError,
        ):  # fmt: skip
            self._warn(f"the analysis in {path} is damaged or foreign: made anew")
            return None
        return found

    def put(self, key: str, analysis: Analysis) -> None:
        """Keeps ``analysis``, whole or not at all, and makes room for it."""
        path = self._folder / f"{key}{SUFFIX}"
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with replacing(path) as file:
                np.savez(file, **to_arrays(analysis))  # type: ignore[arg-type]
            self._make_room(path)
        except SceneError as error:
            self._warn(f"the analysis was not kept: {error}")
        except OSError as error:
            self._warn(f"the analysis was not kept: {path}: {error.strerror or error}")

    def _make_room(self, newest: Path) -> None:
        """Deletes what was not used for longest until the rest is small enough, and what lies unfinished."""
        found = sorted(self._found(f"*{SUFFIX}"), key=lambda entry: (entry[0] != newest, -entry[1].st_mtime))
        room = self._max_bytes
        for path, facts in found:
            room -= facts.st_size
            if room < 0:
                path.unlink(missing_ok=True)
        for path, facts in self._found(f".*{SUFFIX}.*.part"):
            if found and facts.st_mtime < found[0][1].st_mtime - ABANDONED_S:
                path.unlink(missing_ok=True)

    def _found(self, pattern: str) -> list[tuple[Path, os.stat_result]]:
        """Files of the folder; another process may delete them at any time."""
        found = []
        for path in self._folder.glob(pattern):
            with suppress(FileNotFoundError):
                found.append((path, path.stat()))
        return found


def _read(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a file, by name; the large ones, whose sums are checked on the way, on all threads."""
    with zipfile.ZipFile(path) as archive:
        entries = sorted(archive.infolist(), key=lambda entry: -entry.file_size)
    if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
        raise ValueError("compressed")
    names = [entry.filename.removesuffix(".npy") for entry in entries]
    return dict(zip(names, Crew().share(_array, [(path, name) for name in names]), strict=True))


def _array(path: Path, name: str) -> np.ndarray:
    """One array; the file is opened for it alone, for threads may not share an archive."""
    with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
        return np.asarray(arrays[name])

"""Pairs on disk: one compact ``.npz`` file per scene, and an index that says how they were made."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from exgs.painter.errors import PainterError
from exgs.scene.formats.atomic import replacing, write_bytes

INDEX = "pairs.json"
VERSION = 2
MAX_SHARD_BYTES = 256 << 20
MAX_PIXELS = 1 << 32
_FIELDS = ("source", "color", "alpha", "disparity", "view", "rate", "layers", "damage")


@dataclass(frozen=True, eq=False)
class Pairs:
    """P damaged pictures of one scene, each with the view of the clean one it belongs to."""

    scene: str
    """What the scene is called."""
    source: np.ndarray
    """[V,H,W,3] uint8 clean pictures, one per view."""
    color: np.ndarray
    """[P,H,W,3] uint8 damaged pictures over black."""
    alpha: np.ndarray
    """[P,H,W] uint8 accumulated opacity of the damaged scene."""
    disparity: np.ndarray
    """[P,H,W] uint8 disparity plane of the damaged scene."""
    view: np.ndarray
    """[P] int32 view of each damaged picture."""
    rate: np.ndarray
    """[P] float32 value of the rate plane."""
    layers: np.ndarray
    """[P] float32 value of the layers plane."""
    damage: np.ndarray
    """[P] str what was done to the scene."""

    def __len__(self) -> int:
        return len(self.color)


def write_shard(folder: Path, pairs: Pairs) -> Path:
    """Writes ``pairs`` into ``folder``; the file is called after the scene.

    Raises:
        SceneError: the file cannot be written.
    """
    arrays = {name: getattr(pairs, name) for name in _FIELDS}
    path = folder / f"{pairs.scene}.npz"
    packed = {name: _differences(array) if array.ndim > 1 else array for name, array in arrays.items()}
    with replacing(path) as stream:
        np.savez_compressed(stream, **packed)  # type: ignore[arg-type]
    return path


def write_index(folder: Path, facts: dict[str, Any], scenes: Sequence[str]) -> None:
    """Writes which ``scenes`` lie in ``folder``, and the ``facts`` of how they were made.

    Raises:
        SceneError: the file cannot be written.
    """
    document = {"version": VERSION, "scenes": list(scenes), **facts}
    write_bytes(folder / INDEX, (json.dumps(document, indent=1) + "\n").encode())


def read_index(folder: Path) -> dict[str, Any]:
    """The index of a folder of pairs.

    Raises:
        PainterError: there is none, or it is of another version.
    """
    path = folder / INDEX
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PainterError(
            f"{path}: {error.strerror}; 'exgs painter make-pairs' makes such a folder"
        ) from error
    except ValueError as error:
        raise PainterError(f"{path}: not a JSON file ({error})") from error
    if not isinstance(document, dict) or document.get("version") != VERSION:
        raise PainterError(f"{path}: expected an index of version {VERSION}")
    scenes = document.get("scenes")
    if not isinstance(scenes, list) or not scenes or not all(_is_name(scene) for scene in scenes):
        raise PainterError(f'{path}: expected a non-empty list of names, "scenes"')
    return document


def read_pairs(folder: Path) -> list[Pairs]:
    """All pairs of ``folder``, scene by scene.

    Raises:
        PainterError: it holds no pairs, or damaged ones.
    """
    return [_read_shard(folder / f"{scene}.npz", scene) for scene in read_index(folder)["scenes"]]


def _read_shard(path: Path, scene: str) -> Pairs:
    try:
        if path.stat().st_size > MAX_SHARD_BYTES:
            raise PainterError(f"{path}: larger than {MAX_SHARD_BYTES} bytes, no file of pairs")
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > MAX_PIXELS:
                raise PainterError(f"{path}: unpacks to more than {MAX_PIXELS} bytes")
        with np.load(path, allow_pickle=False) as arrays:
            packed = {name: arrays[name] for name in _FIELDS}
    except OSError as error:
        raise PainterError(f"{path}: {error.strerror or error}") from error
    except (KeyError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise PainterError(f"{path}: not a file of pairs ({error})") from error
    plain = {name: _sums(array) if array.ndim > 1 else array for name, array in packed.items()}
    pairs = Pairs(scene, **plain)
    _check(path, pairs)
    return pairs


def _check(path: Path, pairs: Pairs) -> None:
    count, size = len(pairs.color), pairs.source.shape[1:3]
    shapes = {
        "source": (len(pairs.source), *size, 3), "color": (count, *size, 3), "alpha": (count, *size),
        "disparity": (count, *size), "view": (count,), "rate": (count,), "layers": (count,),
        "damage": (count,),
    }  # fmt: skip
    for name, shape in shapes.items():
        found = getattr(pairs, name)
        if found.shape != shape or (found.ndim > 1 and found.dtype != np.uint8):
            raise PainterError(f"{path}: {name} {list(found.shape)} {found.dtype}, expected {list(shape)}")
    if count and not (pairs.view.min() >= 0 and pairs.view.max() < len(pairs.source)):
        raise PainterError(f"{path}: a pair names a view that is not there")


def _differences(pictures: np.ndarray) -> np.ndarray:
    """Each pixel less its left neighbour, modulo 256: what compresses well."""
    before = np.zeros_like(pictures)
    before[:, :, 1:] = pictures[:, :, :-1]
    return pictures - before


def _sums(differences: np.ndarray) -> np.ndarray:
    """Undoes ``_differences``; of an array of another type it gives nothing to rely on."""
    return np.cumsum(differences, axis=2, dtype=np.uint8) if differences.ndim > 2 else differences


def _is_name(scene: object) -> bool:
    return isinstance(scene, str) and scene != "" and Path(scene).name == scene

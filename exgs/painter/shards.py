"""Pairs of damaged and clean pictures, on disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.painter.errors import PainterError
from exgs.training.layout import Layout

PAIRS = Layout(
    index="pairs.json",
    version=2,
    file="file of pairs",
    command="exgs painter make-pairs",
    arrays=("source", "color", "alpha", "disparity", "view", "rate", "layers", "damage"),
    error=PainterError,
)
"""Folders of pairs."""


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
    arrays = {name: getattr(pairs, name) for name in PAIRS.arrays}
    packed = {name: _differences(array) if array.ndim > 1 else array for name, array in arrays.items()}
    return PAIRS.write(folder, pairs.scene, packed)


def read_pairs(folder: Path) -> list[Pairs]:
    """All pairs of ``folder``, scene by scene.

    Raises:
        PainterError: it holds no pairs, or damaged ones.
    """
    return [_read_shard(path) for path in PAIRS.files(folder)]


def _read_shard(path: Path) -> Pairs:
    packed = PAIRS.read(path)
    plain = {name: _sums(array) if array.ndim > 1 else array for name, array in packed.items()}
    pairs = Pairs(path.stem, **plain)
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

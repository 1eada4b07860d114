"""Batches for training: crops of pairs, turned, mirrored and recoloured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exgs.painter.errors import PainterError
from exgs.painter.planes import PLANES
from exgs.painter.shards import Pairs

HELD_BACK = 6
"""Every so-manyth view of a scene is never trained on: training is judged and gates are set by it."""
COVERED = 0.2
"""Share of a crop that shows something; crops with less are drawn again."""
TRIES = 4
DARKEST, BRIGHTEST = 0.6, 1.15
"""Range of the factors by which both pictures of a pair are made darker or brighter."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What one step of training sees."""

    planes: np.ndarray
    """[B,7,H,W] float32 as the network takes them."""
    source: np.ndarray
    """[B,3,H,W] float32 clean pictures."""


class Crops:
    """Random crops of the pairs whose views are trained on."""

    def __init__(self, pairs: Sequence[Pairs], *, size_px: int) -> None:
        """Square crops of ``size_px``.

        Raises:
            PainterError: there are no pairs, or their pictures are smaller than a crop.
        """
        self._pairs, self._size = list(pairs), size_px
        self._chosen = [
            (scene, int(pair))
            for scene, found in enumerate(self._pairs)
            for pair in np.flatnonzero(~held_back(found))
        ]
        if not self._chosen:
            raise PainterError("there are no pairs to train on")
        smallest = min(min(found.source.shape[1:3]) for found in self._pairs)
        if smallest < size_px:
            raise PainterError(f"pictures of {smallest} pixels: smaller than crops of {size_px}")

    def __len__(self) -> int:
        return len(self._chosen)

    def batch(self, count: int, rng: np.random.Generator) -> Batch:
        """``count`` crops; what they are depends on ``rng`` alone."""
        batch = Batch(
            np.empty((count, len(PLANES), self._size, self._size), np.float32),
            np.empty((count, 3, self._size, self._size), np.float32),
        )
        for index in range(count):
            scene, pair = self._chosen[rng.integers(len(self._chosen))]
            planes, source = self._crop(self._pairs[scene], pair, rng)
            batch.planes[index], batch.source[index] = _varied(planes, source, rng)
        return batch

    def _crop(self, pairs: Pairs, pair: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        view, size = pairs.source[pairs.view[pair]], self._size
        for _ in range(TRIES):
            top, left = (int(rng.integers(length - size + 1)) for length in view.shape[:2])
            window = np.s_[top : top + size, left : left + size]
            if view[window][::4, ::4, 1].astype(bool).mean() >= COVERED:
                break
        return pair_planes(pairs, pair, window), as_channels(view[window])


def held_back(pairs: Pairs) -> np.ndarray:
    """[P] bool: which pairs are of views that training never sees."""
    return np.asarray(pairs.view % HELD_BACK == 0)


def pair_planes(pairs: Pairs, pair: int, window: tuple[slice, slice]) -> np.ndarray:
    """[7,H,W] float32 planes of one damaged picture within ``window``."""
    color = as_channels(pairs.color[pair][window])
    planes = np.empty((len(PLANES), *color.shape[1:]), np.float32)
    planes[:3] = color
    planes[3] = pairs.alpha[pair][window] / np.float32(255)
    planes[4] = pairs.disparity[pair][window] / np.float32(255)
    planes[5] = pairs.rate[pair]
    planes[6] = pairs.layers[pair]
    return planes


def as_channels(picture: np.ndarray) -> np.ndarray:
    """[3,H,W] float32 in [0, 1] of [H,W,3] uint8."""
    return picture.transpose(2, 0, 1) / np.float32(255)


def _varied(
    planes: np.ndarray, source: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The pair turned and mirrored in one of eight ways, its channels in any order, darker or brighter."""
    way = int(rng.integers(8))
    order, gain = rng.permutation(3), np.float32(rng.uniform(DARKEST, BRIGHTEST))
    if rng.random() < 0.5:
        order, gain = np.arange(3), np.float32(1)
    varied = []
    for picture in (planes, source):
        picture = np.rot90(picture, way % 4, (1, 2))
        picture = picture[:, :, ::-1] if way >= 4 else picture
        varied.append(np.concatenate([np.clip(picture[order] * gain, 0, 1), picture[3:]]))
    return varied[0], varied[1]

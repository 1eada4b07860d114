"""Plain stand-ins for ingredients of the encoder, for the ablation."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import zstandard
from numba import njit
from scipy.spatial import cKDTree

from benchmarks.altering import part
from exgs.codec import model
from exgs.codec.leaves import Rows
from exgs.codec.merging import Clusters
from exgs.scene import Gaussians

CODED = (
    model.CLASS, model.SCALE, model.DROP_2, model.DROP_3, model.OPACITY, model.LUMA, model.CHROMA_O,
    model.CHROMA_G, model.FACE, model.POLE_U, model.POLE_V, model.SPIN,
)  # fmt: skip
"""Columns of integers that a file holds, besides the means and the harmonics."""


def prune(clusters: Clusters, target: int) -> np.ndarray:
    """In place of ``merging.reduce``: keeps what shows most; the rest counts as gone to the nearest."""
    rows = clusters.rows
    keep = np.sort(np.argsort(-rows.mass * rows.footprint, kind="stable")[:target])
    place = cKDTree(rows.means[keep]).query(rows.means)[1].astype(np.int32)
    clusters.made = Rows(*(getattr(rows, field.name)[keep] for field in fields(rows)))
    clusters.first, clusters.origin = clusters.first[keep], clusters.origin[keep]
    clusters.error = clusters.error[keep]
    return place


@njit(nogil=True, cache=True)
def nearest_partners(
    begin: int,
    end: int,
    neighbours: np.ndarray,
    state: tuple[np.ndarray, ...],
    partner: np.ndarray,
    cost: np.ndarray,
) -> None:
    """In place of ``merge_tree.find_partners``: the nearest is the partner, its squared distance the cost."""
    means = state[0]
    for i in range(begin, end):
        partner[i], cost[i] = -1, np.inf
        for k in range(neighbours.shape[1]):
            j = neighbours[i, k]
            if j < 0:
                continue
            c = np.float32(np.square(means[i] - means[j]).sum())
            if c < cost[i]:
                partner[i], cost[i] = j, c


def all_clear(means: np.ndarray, unoccluded: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """In place of ``visibility.light``: nothing stands in the way of anything."""
    return np.ones(len(means), np.float32)


def as_they_are(gaussians: Gaussians, *_: Any, **__: Any) -> Gaussians:
    """In place of ``finetune.finetune``: nothing is fitted."""
    return gaussians


class ZstdColumns:
    """Counts what the integers of a file take as columns under zstd, in the order of the file."""

    def __init__(self) -> None:
        self._whole, self._quantised = part("serialize.serialize_measured"), part("serialize._quantised")
        self._last: list[Any] = []
        self._chunks: dict[bytes, list[Any]] = {}
        self.changes = {
            "serialize.serialize_measured": self._serialize_measured,
            "serialize._quantised": self._quantise,
        }
        """Puts the counter into the encoder."""

    def _quantise(self, *args: Any) -> Any:
        found = self._quantised(*args)
        self._last = found[-1]
        return found

    def _serialize_measured(self, *args: Any) -> Any:
        file = self._whole(*args)
        self._chunks[file.data] = self._last
        return file

    def size(self, data: bytes) -> int:
        """Bytes of the columns of the file ``data``; the counter must have seen it made."""
        chunks = self._chunks[data]
        columns = [np.concatenate([chunk.cells[:, axis] for chunk in chunks]) for axis in range(3)]
        codes = np.concatenate([chunk.codes for chunk in chunks], axis=1)
        columns += [codes[row] for row in (*CODED, *range(model.SH, len(codes)))]
        return sum(column_bytes(column) for column in columns)


def column_bytes(column: np.ndarray) -> int:
    """Bytes of integers under zstd 19: of the values, or of their differences, whichever is less."""
    packer = zstandard.ZstdCompressor(level=19)
    narrow = [_narrowed(values) for values in (column, np.diff(column, prepend=0))]
    return min(len(packer.compress(values.tobytes())) for values in narrow)


def _narrowed(values: np.ndarray) -> np.ndarray:
    """The same from zero up, in the fewest bytes."""
    above = values - values.min()
    kind = next(kind for kind in (np.uint8, np.uint16, np.uint32) if above.max() <= np.iinfo(kind).max)
    return above.astype(kind)

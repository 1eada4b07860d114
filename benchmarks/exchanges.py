"""Plain stand-ins for ingredients of the encoder, for the ablation."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import numpy as np
import zstandard
from numba import njit
from scipy.spatial import cKDTree

from benchmarks.altering import part
from exgs.codec import Precision, Pyramid, model, serialize_measured
from exgs.codec.encoding.leaves import Rows
from exgs.codec.encoding.merging import Clusters
from exgs.codec.prediction import place_bits
from exgs.scene import Gaussians

CODED = (
    model.SCALE, model.DROP_2, model.DROP_3, model.FINE, model.FINE + 1, model.FINE + 2, model.OPACITY,
    model.LUMA, model.CHROMA_O, model.CHROMA_G, model.FACE, model.POLE_U, model.POLE_V, model.SPIN,
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
        home = serialize_measured.__module__.removeprefix("exgs.codec.")
        self._whole, self._quantised = serialize_measured, part("writing.chunking.chunks_of")
        self._last: list[np.ndarray] = []
        self._columns: dict[bytes, list[np.ndarray]] = {}
        self.changes = {
            f"{home}.serialize_measured": self._serialize,
            "writing.chunking.chunks_of": self._quantise,
        }
        """Puts the counter into the encoder."""

    def size(self, data: bytes) -> int:
        """Bytes of the columns of the file ``data``; the counter must have seen it made."""
        return sum(column_bytes(column) for column in self._columns[data])

    def _serialize(self, pyramid: Pyramid, precision: Precision, *spread: Any) -> Any:
        file = self._whole(pyramid, precision, *spread)
        self._columns[file.data] = self._last
        return file

    def _quantise(self, pyramid: Pyramid, precision: Precision, *spread: Any) -> Any:
        coding, origin, chunks = self._quantised(pyramid, precision, *spread)
        degree = pyramid.levels[0].gaussians.sh_degree
        codes = np.concatenate([chunk.codes for chunk in chunks], axis=1)
        self._last = [codes[row] for row in (*CODED, *range(model.SH, len(codes)))]
        for axis in range(3):
            books = [coding.book(chunk.cut.level, degree) for chunk in chunks]
            means = [_sent(chunk, axis, book) for chunk, book in zip(chunks, books, strict=True)]
            self._last.append(np.concatenate(means))
        return coding, origin, chunks


def _sent(chunk: Any, axis: int, book: np.ndarray) -> np.ndarray:
    """Lattice coordinates without the low bits that large splats do without."""
    dropped = chunk.codes[model.X_OPEN + axis] - place_bits(chunk.codes, axis, book)
    return chunk.cells[:, axis] >> dropped << dropped


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

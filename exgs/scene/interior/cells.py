"""Surfaces cut into cells, finer where there is more to see: each cell becomes one Gaussian."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from exgs.scene.interior.materials import MATERIALS
from exgs.scene.interior.model import Batch, Look
from exgs.scene.interior.shapes import Blades, Pillows, Tubes
from exgs.scene.interior.textures import Spots


@dataclass(frozen=True, eq=False)
class Cells:
    """n patches of surfaces, rectangles in the surfaces' own coordinates."""

    family: np.ndarray
    """[n] index of the batch."""
    item: np.ndarray
    """[n] index within the batch."""
    middle: np.ndarray
    """[n,2] u and v of the middle."""
    width: np.ndarray
    """[n,2] extent in u and in v."""

    def __len__(self) -> int:
        return len(self.item)

    def select(self, index: np.ndarray) -> Cells:
        """The cells at ``index``."""
        return Cells(*(getattr(self, field.name)[index] for field in fields(self)))

    def at_rim(self) -> np.ndarray:
        """[n,2] bool: cells that touch the ends of u, and of v."""
        start = self.middle - self.width / 2
        return np.asarray((start < 1e-9) | (start + self.width > 1 - 1e-9))

    def halved(self, axis: np.ndarray) -> Cells:
        """Twice as many cells: every cell cut in two across u (axis 0) or v (axis 1)."""
        cut = np.eye(2)[axis]
        width = self.width * (1 - 0.5 * cut)
        middles = [self.middle - 0.5 * width * cut, self.middle + 0.5 * width * cut]
        return join([Cells(self.family, self.item, middle, width) for middle in middles])


def join(parts: Sequence[Cells]) -> Cells:
    """All cells of ``parts`` in order."""
    return Cells(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Cells)))


class Survey:
    """Looks up places, directions and colours on a model's surfaces."""

    def __init__(self, batches: Sequence[Batch]) -> None:
        self.batches = list(batches)
        self.names = sorted({look.material for batch in batches for look in batch.looks})
        self.material = [np.array([self.names.index(look.material) for look in b.looks]) for b in batches]
        self.lengths = [_lengths(batch) for batch in batches]
        self._tables = [_look_table(batch.looks) for batch in batches]

    def first_cells(self) -> Cells:
        """A regular grid of cells on every item, none larger than its material allows."""
        parts = []
        for family, batch in enumerate(self.batches):
            largest = np.array([MATERIALS[look.material].largest_m for look in batch.looks])
            counts = np.maximum(np.ceil(self.lengths[family] / largest[:, None]), 1).astype(np.int64)
            total = counts.prod(axis=1)
            item = np.repeat(np.arange(len(counts)), total)
            number = np.arange(len(item)) - np.repeat(np.cumsum(total) - total, total)
            row, column = number // counts[item, 1], number % counts[item, 1]
            width = 1.0 / counts[item]
            middle = (np.stack([row, column], axis=1) + 0.5) * width
            parts.append(Cells(np.full(len(item), family), item, middle, width))
        return join(parts)

    def points(self, cells: Cells, du: float | np.ndarray = 0.0, dv: float | np.ndarray = 0.0) -> np.ndarray:
        """[n,3] places at the middles of cells, moved by ``du`` and ``dv`` cell widths."""
        shift = np.stack([np.broadcast_to(du, len(cells)), np.broadcast_to(dv, len(cells))], axis=1)
        uv = cells.middle + shift * cells.width
        out = np.empty((len(cells), 3))
        for family, batch in enumerate(self.batches):
            mine = cells.family == family
            out[mine] = batch.surface.points(cells.item[mine], *uv[mine].T)
        return out

    def frames(self, cells: Cells) -> tuple[np.ndarray, np.ndarray]:
        """[n,2,3] vectors across the whole cell along u and v, and [n,3] unit normals."""
        sides = [self.points(cells, *step) for step in ((0.25, 0), (-0.25, 0), (0, 0.25), (0, -0.25))]
        spans = 2 * np.stack([sides[0] - sides[1], sides[2] - sides[3]], axis=1)
        return spans, unit_normals(spans)

    def materials(self, cells: Cells) -> np.ndarray:
        """[n] index into ``names`` of each cell's material."""
        out = np.empty(len(cells), np.int64)
        for family, material in enumerate(self.material):
            mine = cells.family == family
            out[mine] = material[cells.item[mine]]
        return out

    def trait(self, cells: Cells, name: str) -> np.ndarray:
        """[n] a field of each cell's material, as a number."""
        values = np.array([float(getattr(MATERIALS[material], name)) for material in self.names])
        return values[self.materials(cells)]

    def rimmed(self, cells: Cells) -> np.ndarray:
        """[n,2] bool: cells of items whose surface ends in sight at the ends of u, and at those of v."""
        ends = {Blades: (True, True), Tubes: (True, False), Pillows: (False, False)}
        table = np.array([ends[type(batch.surface)] for batch in self.batches])
        return np.asarray(table[cells.family] & (self.trait(cells, "shell") == 0)[:, None])

    def curved(self, cells: Cells) -> np.ndarray:
        """[n] bool: cells of items that are not flat."""
        out = np.empty(len(cells), bool)
        for family, batch in enumerate(self.batches):
            mine = cells.family == family
            out[mine] = batch.surface.curved[cells.item[mine]]
        return out

    def albedo(self, cells: Cells, du: float, dv: float, places: np.ndarray) -> np.ndarray:
        """[n,3] colours at ``places``, which lie ``du`` and ``dv`` cell widths off the cells' middles."""
        out = np.empty((len(cells), 3))
        material = self.materials(cells)
        for number, name in enumerate(self.names):
            mine = np.flatnonzero(material == number)
            if len(mine):
                out[mine] = MATERIALS[name].texture(self._spots(cells.select(mine), du, dv, places[mine]))
        return np.clip(out, 0.0, 1.0)

    def _spots(self, cells: Cells, du: float, dv: float, places: np.ndarray) -> Spots:
        uv = cells.middle + np.array([du, dv]) * cells.width
        st, color, accent = np.empty_like(uv), np.empty((len(uv), 3)), np.empty((len(uv), 3))
        seed = np.empty(len(uv), np.int64)
        for family, table in enumerate(self._tables):
            mine = cells.family == family
            item = cells.item[mine]
            st[mine] = uv[mine] * self.lengths[family][item] + table[2][item]
            color[mine], accent[mine], seed[mine] = table[0][item], table[1][item], table[3][item]
        return Spots(uv[:, 0], uv[:, 1], st[:, 0], st[:, 1], places, color, accent, seed)


def unit_normals(spans: np.ndarray) -> np.ndarray:
    """[n,3] unit vectors across both of the vectors ``spans`` [n,2,3]."""
    (ax, ay, az), (bx, by, bz) = spans[:, 0].T, spans[:, 1].T
    normal = np.stack([ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx], axis=1)
    length = np.sqrt((normal**2).sum(axis=1, keepdims=True))
    return np.asarray(normal / np.maximum(length, 1e-12))


def _lengths(batch: Batch) -> np.ndarray:
    """[k,2] length of every item along u, and the greatest across it, in metres."""
    items = np.arange(len(batch.looks))
    steps = np.linspace(0, 1, 17)
    lengths = np.zeros((len(items), 2))
    for axis in range(2):
        for level in (0.15, 0.5, 0.85):
            run = [
                batch.surface.points(
                    items, *(np.full(len(items), x) for x in ((step, level), (level, step))[axis])
                )
                for step in steps
            ]
            length = np.linalg.norm(np.diff(np.stack(run), axis=0), axis=2).sum(axis=0)
            lengths[:, axis] = np.maximum(lengths[:, axis], length)
    return lengths


def _look_table(looks: Sequence[Look]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """[k,3] colours, [k,3] accents, [k,2] texture shifts and [k] seeds."""
    return (
        np.array([look.color for look in looks]),
        np.array([look.accent for look in looks]),
        np.array([look.shift for look in looks]),
        np.array([look.seed for look in looks], np.int64),
    )

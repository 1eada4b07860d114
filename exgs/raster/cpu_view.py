"""One camera's view of a scene on the CPU: ellipses in order of depth, and the lists of the tiles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from exgs.raster import cpu_order
from exgs.raster.cpu_blocks import TILE
from exgs.raster.cpu_project import Lens, Vector, project
from exgs.raster.crew import Crew, ranges
from exgs.scene import Camera, Gaussians

MAX_LISTED = 1 << 24
"""Most entries of tile lists held at once (4 bytes each); longer ones are made in slices of depth."""
MAX_DIGIT_BITS = 13
"""Largest digit of the depth sort: its counters stay in the cache."""
SHORTEST_RANGE = 4096
"""Gaussians below which a range is not worth a thread."""
MOST_RANGES = 32
"""Ranges that a scene is projected in, so that none waits long for the slowest thread."""


class Workspace:
    """Arrays that are used again from one picture to the next, for fresh memory is slow to touch first."""

    def __init__(self) -> None:
        self._arrays: dict[str, np.ndarray] = {}

    def take(self, name: str, shape: tuple[int, ...], dtype: type) -> np.ndarray:
        """An array with anything in it, valid until ``name`` is taken again."""
        wanted = int(np.prod(shape))
        array = self._arrays.get(name)
        if array is None or array.size < wanted:
            array = self._arrays[name] = np.empty(wanted, dtype)
        return array[:wanted].reshape(shape)


@dataclass(frozen=True, eq=False)
class View:
    """The V Gaussians that reach one camera's picture, nearest first."""

    width: int
    """Of the picture, in pixels."""
    height: int
    """Of the picture, in pixels."""
    records: np.ndarray
    """[*,9] float32 per slot: centre (px), the quadratic q = a dx^2 + b dx dy + c dy^2 + k = log2(alpha) /
    8 of the offset from it as a, b, c, k, and the colour that the camera sees."""
    ids: np.ndarray
    """[*] int32 per slot: which Gaussian of the scene it is."""
    order: np.ndarray
    """[V] uint32 slots, nearest first."""
    rects: np.ndarray
    """[V,4] int16 first and last tile along x and y, nearest first: x0, y0, x1, y1."""
    depths: np.ndarray
    """[V] float32 z along the view."""
    covered: int
    """Tiles covered by all together."""

    @property
    def tiles_x(self) -> int:
        """Tiles per row."""
        return -(-self.width // TILE)

    @property
    def tiles(self) -> int:
        """Tiles of the picture."""
        return self.tiles_x * -(-self.height // TILE)

    def slices(self) -> Iterator[tuple[int, int]]:
        """Ranges of Gaussians, nearest first, whose tile lists fit ``MAX_LISTED`` entries."""
        if self.covered <= MAX_LISTED:
            yield 0, len(self.order)
            return
        x0, y0, x1, y1 = self.rects.astype(np.int64).T
        ends = np.cumsum((x1 - x0 + 1) * (y1 - y0 + 1))
        begin, before = 0, 0
        while begin < len(ends):
            end = max(begin + 1, int(np.searchsorted(ends, before + MAX_LISTED, side="right")))
            yield begin, end
            begin, before = end, int(ends[end - 1])


@dataclass(frozen=True, eq=False)
class Lists:
    """Which Gaussians of a slice each tile sees, nearest first."""

    starts: np.ndarray
    """[tiles+1] int32 where each tile's list begins."""
    entries: np.ndarray
    """[E] uint32 slots."""
    spans: list[tuple[int, int]]
    """Ranges of Gaussians that were listed by one thread each."""
    places: np.ndarray
    """[spans,tiles] int32 where the first Gaussian of each span stands in each tile's list."""

    def chunks(self, count: int) -> list[tuple[int, int]]:
        """Consecutive ranges of tiles, about ``count``, with about equally many entries."""
        tiles = len(self.starts) - 1
        marks = np.linspace(0, self.starts[-1] + tiles, count + 1)[1:-1]
        cuts = np.searchsorted(self.starts + np.arange(tiles + 1), marks)
        edges = sorted({0, tiles, *cuts.tolist()})
        return list(pairwise(edges))


def project_view(crew: Crew, gaussians: Gaussians, camera: Camera, workspace: Workspace) -> View:
    """What ``camera`` sees of ``gaussians``, in order of depth; the arrays belong to ``workspace``."""
    count = len(gaussians)
    records = workspace.take("records", (count, 9), np.float32)
    keys = workspace.take("keys", (count,), np.uint32)
    rects = workspace.take("rects", (count, 4), np.int16)
    ids = workspace.take("ids", (count,), np.int32)
    scene = (gaussians.means, gaussians.quats, gaussians.log_scales, gaussians.opacity_logits)
    harmonics = (gaussians.sh0, gaussians.shN)
    lens = _lens(camera)
    spans = ranges(count, min(MOST_RANGES, count // SHORTEST_RANGE))
    jobs = [(span, scene, harmonics, lens, (records, keys, rects, ids)) for span in spans]
    results = crew.share(project, jobs)
    parts = np.array([(span[0], span[0] + result[0]) for span, result in zip(spans, results, strict=True)])
    key_range = (min(result[2] for result in results), max(result[3] for result in results))
    order, keys = _sort(crew, keys, parts, key_range, workspace)
    taken = workspace.take("taken rects", (len(order), 4), np.int16)
    crew.share(
        cpu_order.take_rects, [(span, order, rects, taken) for span in ranges(len(order), crew.threads)]
    )
    covered = sum(result[1] for result in results)
    return View(camera.width, camera.height, records, ids, order, taken, keys.view(np.float32), covered)


def list_tiles(crew: Crew, view: View, span: tuple[int, int], workspace: Workspace) -> Lists:
    """The tile lists of Gaussians [begin, end) of ``view``; the entries belong to ``workspace``."""
    spans = [(span[0] + a, span[0] + b) for a, b in ranges(span[1] - span[0], crew.threads)]
    counts = np.empty((len(spans), view.tiles), np.int32)
    starts = np.empty(view.tiles + 1, np.int32)
    rows = list(zip(spans, counts, strict=True))
    crew.share(cpu_order.count_tiles, [(part, view.rects, view.tiles_x, row) for part, row in rows])
    cpu_order.counts_to_places(counts, starts)
    entries = workspace.take("entries", (int(starts[-1]),), np.uint32)
    places = counts.copy()
    crew.share(
        cpu_order.list_tiles,
        [(part, (view.order, view.rects), view.tiles_x, row, entries) for part, row in rows],
    )
    return Lists(starts, entries, spans, places)


def _sort(
    crew: Crew, keys: np.ndarray, parts: np.ndarray, key_range: tuple[int, int], workspace: Workspace
) -> tuple[np.ndarray, np.ndarray]:
    """Slots of ``keys`` in ranges ``parts`` [R,2] in increasing order of key, and the keys in that order."""
    seen = int((parts[:, 1] - parts[:, 0]).sum())
    values = workspace.take("slots", (len(keys),), np.uint32)
    values[:] = np.arange(len(keys), dtype=np.uint32)
    bits = max(1, int(key_range[1] - key_range[0]).bit_length()) if seen else 1
    passes = -(-bits // MAX_DIGIT_BITS)
    width = -(-bits // passes)
    for turn in range(passes):
        target = (
            workspace.take(f"keys {turn % 2}", (seen,), np.uint32),
            workspace.take(f"values {turn % 2}", (seen,), np.uint32),
        )
        digit = (np.uint32(key_range[0]), np.uint32(turn * width), np.uint32((1 << width) - 1))
        groups = _share_out(parts, crew.threads)
        counts = np.empty((len(groups), 1 << width), np.int32)
        rows = list(zip(groups, counts, strict=True))
        crew.share(cpu_order.count_digits, [(group, keys, digit, row) for group, row in rows])
        cpu_order.counts_to_places(counts, np.empty((1 << width) + 1, np.int32))
        crew.share(
            cpu_order.move_by_digit, [(group, (keys, values), digit, row, target) for group, row in rows]
        )
        keys, values = target
        parts = np.array(ranges(seen, crew.threads))
    return values, keys


def _share_out(parts: np.ndarray, count: int) -> list[np.ndarray]:
    """The ranges ``parts`` [R,2] in at most ``count`` consecutive groups of about equal length in all."""
    ends = np.cumsum(parts[:, 1] - parts[:, 0])
    cuts = np.searchsorted(ends, np.linspace(0, ends[-1], count + 1)[1:-1])
    edges = sorted({0, len(parts), *cuts.tolist()})
    return [np.ascontiguousarray(parts[a:b]) for a, b in pairwise(edges)]


def _lens(camera: Camera) -> Lens:
    """What the projection wants to know of a camera, in single precision.

    Slopes are clamped at 1.3 times half of the picture, where the linearised projection would run away.
    """

    def numbers(*values: float) -> Vector:
        return tuple(np.float32(value) for value in values)

    matrix = camera.camera_from_world
    turn = (numbers(*matrix[0, :3]), numbers(*matrix[1, :3]), numbers(*matrix[2, :3]))
    slopes = (0.65 * camera.width / camera.fx, 0.65 * camera.height / camera.fy)
    pinhole = numbers(camera.fx, camera.fy, camera.cx, camera.cy, *slopes)
    size = numbers(camera.width, camera.height)
    return turn, numbers(*matrix[:3, 3]), pinhole, numbers(*camera.position), size


def camera_rows(camera: Camera) -> np.ndarray:
    """[7,3] float32: rotation, shift, focal lengths, clamps of the slopes, eye; what is missing is 0."""
    turn, shift, pinhole, eye, _ = _lens(camera)
    nought = np.float32(0)
    rows = (*turn, shift, (*pinhole[:2], nought), (*pinhole[4:6], nought), eye)
    return np.array(rows, np.float32)

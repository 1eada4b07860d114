"""Walks over the tiles of one view on the CPU: forward to pictures, back to Gaussians."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields

import numpy as np

from exgs.raster import cpu_backward, cpu_composite, cpu_order, cpu_unproject
from exgs.raster.cpu_blocks import OPAQUE, Frame
from exgs.raster.cpu_view import Lists, View, Workspace, list_tiles
from exgs.raster.crew import PARTS_PER_THREAD, Crew
from exgs.raster.seam import Gradients


@dataclass(frozen=True, eq=False)
class Pass:
    """One view at work; tile lists too long to hold are walked in slices of depth."""

    crew: Crew
    """Works."""
    workspace: Workspace
    """Of the caller's thread; nothing else uses it meanwhile."""
    view: View
    """What a camera sees."""
    lists: Lists | None = None
    """The lists of the whole view, where they are at hand."""

    def composite(self, image: np.ndarray, clear: np.ndarray) -> None:
        """Sum of weight x colour into ``image`` [H,W,3], the light let through into ``clear`` [H,W,1]."""
        for lists, frame in self._slices(clear):
            self._walk(cpu_composite.composite, lists, frame, self.view.records, (image, clear), None, None)

    def composite_deep(self, image: np.ndarray, clear: np.ndarray) -> np.ndarray:
        """Fills ``image`` [H,W,3] and ``clear`` [H,W,1] as ``composite`` does.

        The depth [H,W], weighted by blending and divided by opacity, is 0 where the picture is empty.
        """
        depths = self.workspace.take("depths", (len(self.view.records),), np.float32)
        depths[self.view.order] = self.view.depths
        distance = np.empty(clear.shape, np.float32)
        for lists, frame in self._slices(clear):
            pictures = (image, clear)
            self._walk(cpu_composite.composite, lists, frame, self.view.records, pictures, depths, distance)
        alpha = np.float32(1) - clear[..., 0]
        return np.divide(distance[..., 0], alpha, out=np.zeros_like(alpha), where=alpha > 0)

    def weigh(self, total: np.ndarray, most: np.ndarray) -> None:
        """Adds each Gaussian's weights to ``total`` [N,1] and raises ``most`` [N,1] to the largest."""
        clear = np.empty((self.view.height, self.view.width, 1), np.float32)
        for lists, frame in self._slices(clear):
            found = self.workspace.take("found 2", (len(lists.entries), 2), np.float32)
            self._walk(cpu_composite.weigh, lists, frame, self.view.records, clear, found)
            self._sum(lists, found, total, most)

    def pull_back(self, picture: np.ndarray, total: np.ndarray) -> None:
        """Adds weight x ``picture`` [H,W,3], and the weight, to each Gaussian's row of ``total`` [N,4]."""
        clear = np.empty((self.view.height, self.view.width, 1), np.float32)
        for lists, frame in self._slices(clear):
            found = self.workspace.take("found 4", (len(lists.entries), 4), np.float32)
            self._walk(cpu_composite.pull_back, lists, frame, self.view.records, (picture, clear), found)
            self._sum(lists, found, total, np.empty((0, 0), np.float32))

    def pull_shapes(
        self, slope: np.ndarray, image: np.ndarray, sources: tuple[np.ndarray, ...], gradients: Gradients
    ) -> None:
        """Adds to ``gradients`` what the gradient ``slope`` [H,W,3] of the picture ``image`` gives.

        ``sources`` are means, quats, log scales and logits, and the camera's rows (``cpu_unproject``).
        """
        clear = np.empty((self.view.height, self.view.width, 1), np.float32)
        rest = np.sum(slope * image, axis=2, keepdims=True)
        out = tuple(getattr(gradients, field.name) for field in fields(gradients))
        splats, count = (self.view.order, self.view.rects), len(self.view.ids)
        moments = self.workspace.take("moments", (count, cpu_backward.MOMENTS), np.float32)
        shown = self.workspace.take("shown", (count,), np.bool_)
        for lists, frame in self._slices(clear):
            shape = (len(lists.entries), cpu_backward.MOMENTS)
            found = self.workspace.take("found shapes", shape, np.float32)
            pictures = (slope, rest, clear)
            self._walk(cpu_backward.pull_shapes, lists, frame, self.view.records, pictures, found)
            shown[:] = False
            slots = (found, moments, shown)
            jobs = [
                (span, splats, self.view.tiles_x, places, slots)
                for span, places in zip(lists.spans, lists.places.copy(), strict=True)
            ]
            self.crew.share(cpu_unproject.gather_moments, jobs)
            held = (moments, self.view.records, *sources)
            parts = [(span, (self.view.ids, shown), held, out) for span in self.crew.parts(count)]
            self.crew.share(cpu_unproject.unproject, parts)

    def _slices(self, clear: np.ndarray) -> Iterator[tuple[Lists, Frame]]:
        """Lists for one walk after the other, until ``clear`` lets no light through anywhere."""
        for begin, end in self.view.slices():
            if begin > 0 and clear.max() < OPAQUE:
                return
            lists = self.lists or list_tiles(self.crew, self.view, (begin, end), self.workspace)
            yield lists, (self.view.tiles_x, begin > 0)

    def _walk(
        self, kernel: Callable[..., None], lists: Lists, frame: Frame, records: np.ndarray, *rest: object
    ) -> None:
        chunks = lists.chunks(PARTS_PER_THREAD * self.crew.threads)
        listed = (lists.starts, lists.entries, records)
        self.crew.share(kernel, [(chunk, frame, listed, *rest) for chunk in chunks])

    def _sum(self, lists: Lists, found: np.ndarray, total: np.ndarray, most: np.ndarray) -> None:
        splats = (self.view.order, self.view.rects, self.view.ids)
        jobs = [
            (span, splats, self.view.tiles_x, places, found, (total, most))
            for span, places in zip(lists.spans, lists.places.copy(), strict=True)
        ]
        self.crew.share(cpu_order.sum_entries, jobs)

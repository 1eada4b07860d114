"""The rasteriser for processors: compiled kernels, driven by threads of our own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

from exgs.raster import cpu_composite, cpu_gather, cpu_order, cpu_project
from exgs.raster.cpu_view import MAX_LISTED, Lists, View, Workspace, list_tiles, project_view
from exgs.raster.crew import Crew
from exgs.raster.kernel import all_compiled
from exgs.raster.seam import Rendering, picture_size
from exgs.scene import Camera, Gaussians

CHUNKS_PER_THREAD = 8
"""Parts into which a thread's share of the picture is cut, so that none waits long for the slowest."""

KERNELS = (
    cpu_project.project,
    cpu_order.count_digits,
    cpu_order.move_by_digit,
    cpu_order.counts_to_places,
    cpu_order.gather,
    cpu_order.count_tiles,
    cpu_order.list_tiles,
    cpu_composite.composite,
    cpu_gather.weigh,
    cpu_gather.pull_back,
    cpu_gather.sum_entries,
)


class CpuRasterizer:
    """Rasterises on all cores; any thread may call any method at any time.

    Working memory grows to the largest scene drawn and is kept for the next picture, once per thread that calls.
    """

    name = "cpu"

    def __init__(
        self, *, threads: int | None = None, on_compile: Callable[[str], None] | None = None
    ) -> None:
        """``threads`` None takes all processors; ``on_compile`` hears of the wait before the first picture."""
        self._crew = Crew(threads)
        self._on_compile = on_compile
        self._idle: deque[Workspace] = deque()

    def render(
        self, gaussians: Gaussians, cameras: Sequence[Camera], *, depth: bool = False, weights: bool = False
    ) -> Rendering:
        """Renders from every camera; all must share one picture size (ValueError otherwise)."""
        width, height = picture_size(cameras)
        self._announce()
        shape = (len(cameras), height, width)
        color, clear = np.empty((*shape, 3), np.float32), np.empty((*shape, 1), np.float32)
        depths = np.empty(shape, np.float32) if depth else None
        total = np.zeros((len(gaussians) if weights else 0, 1), np.float32)
        most = np.zeros_like(total)
        with self._workspace() as workspace:
            for index, camera in enumerate(cameras):
                view = project_view(self._crew, gaussians, camera, workspace)
                pass_ = Pass(self._crew, workspace, view)
                pass_.composite(view.colors, color[index], clear[index])
                if depths is not None:
                    depths[index] = pass_.depth(clear[index])
                if weights:
                    pass_.weigh(total, most)
        return Rendering(
            color,
            np.float32(1) - clear[..., 0],
            depths,
            total[:, 0] if weights else None,
            most[:, 0] if weights else None,
        )

    def blending(self, gaussians: Gaussians, cameras: Sequence[Camera]) -> CpuBlending:
        """The blending operator of every camera, for least-squares fits of colours."""
        self._announce()
        views = []
        with self._workspace() as workspace:
            for camera in cameras:
                view = project_view(self._crew, gaussians, camera, workspace).kept()
                listed = view.covered <= MAX_LISTED
                lists = list_tiles(self._crew, view, (0, len(view.ids)), Workspace()) if listed else None
                views.append((view, lists))
        return CpuBlending(self, len(gaussians), views)

    def warm_up(self) -> None:
        """Compiles every kernel, or loads it from disk, on a scene of one Gaussian."""
        one = Gaussians(
            means=np.array([[0, 0, 1]], np.float32),
            quats=np.array([[1, 0, 0, 0]], np.float32),
            log_scales=np.full((1, 3), -2, np.float32),
            opacity_logits=np.zeros(1, np.float32),
            sh0=np.zeros((1, 1, 3), np.float32),
            shN=np.zeros((1, 0, 3), np.float32),
        )
        camera = Camera(np.eye(4), 8, 8, 4, 4, 8, 8)
        self.render(one, [camera], weights=True)
        self.blending(one, [camera]).transpose(0, np.zeros((8, 8, 3), np.float32))

    def _announce(self) -> None:
        callback, self._on_compile = self._on_compile, None
        if callback is not None and not all_compiled(KERNELS):
            callback("compiling the rasteriser (once on this machine, about 15 seconds)")

    @contextmanager
    def _workspace(self) -> Iterator[Workspace]:
        try:
            workspace = self._idle.pop()
        except IndexError:
            workspace = Workspace()
        try:
            yield workspace
        finally:
            self._idle.append(workspace)


@dataclass(frozen=True, eq=False)
class Pass:
    """Walks over the tiles of one view, in slices of depth where its lists would be too long to hold."""

    crew: Crew
    workspace: Workspace
    view: View
    lists: Lists | None = None
    """The lists of the whole view, where they are at hand."""

    def composite(self, colors: np.ndarray, image: np.ndarray, clear: np.ndarray) -> None:
        """Sum of weight x ``colors`` [V,3] into ``image`` [H,W,3]; the light let through into ``clear`` [H,W,1]."""
        for lists, frame in self._slices():
            splats = (self.view.shapes, colors)
            self._walk(cpu_composite.composite, lists, frame, splats, (image, clear))

    def depth(self, clear: np.ndarray) -> np.ndarray:
        """[H,W] depth weighted by blending and divided by opacity; 0 where empty."""
        depths = np.repeat(self.view.depths[:, None], 3, axis=1)
        image = np.empty((*clear.shape[:2], 3), np.float32)
        self.composite(depths, image, clear)
        alpha = np.float32(1) - clear[..., 0]
        return np.divide(image[..., 0], alpha, out=np.zeros_like(alpha), where=alpha > 0)

    def weigh(self, total: np.ndarray, most: np.ndarray) -> None:
        """Adds each Gaussian's blending weights to ``total`` [N,1] and raises ``most`` [N,1] to the largest."""
        clear = np.empty((self.view.height, self.view.width, 1), np.float32)
        for lists, frame in self._slices():
            found = self.workspace.take("found 2", (len(lists.entries), 2), np.float32)
            self._walk(cpu_gather.weigh, lists, frame, self.view.shapes, clear, found)
            self._sum(lists, found, total, most)

    def pull_back(self, picture: np.ndarray, total: np.ndarray) -> None:
        """Adds weight x ``picture`` [H,W,3] to each Gaussian's row of ``total`` [N,3]."""
        clear = np.empty((self.view.height, self.view.width, 1), np.float32)
        for lists, frame in self._slices():
            found = self.workspace.take("found 3", (len(lists.entries), 3), np.float32)
            self._walk(cpu_gather.pull_back, lists, frame, self.view.shapes, (picture, clear), found)
            self._sum(lists, found, total, total[:, :0].copy())

    def _slices(self) -> Iterator[tuple[Lists, cpu_composite.Frame]]:
        view = self.view
        for begin, end in view.slices():
            lists = self.lists or list_tiles(self.crew, view, (begin, end), self.workspace)
            yield lists, (view.width, view.height, view.tiles_x, begin > 0)

    def _walk(
        self, kernel: Callable[..., None], lists: Lists, frame: cpu_composite.Frame, *rest: object
    ) -> None:
        chunks = lists.chunks(CHUNKS_PER_THREAD * self.crew.threads)
        self.crew.share(kernel, [(chunk, frame, (lists.starts, lists.entries), *rest) for chunk in chunks])

    def _sum(self, lists: Lists, found: np.ndarray, total: np.ndarray, most: np.ndarray) -> None:
        splats = (self.view.rects, self.view.ids)
        jobs = [
            (span, splats, self.view.tiles_x, places, found, (total, most))
            for span, places in zip(lists.spans, lists.places.copy(), strict=True)
        ]
        self.crew.share(cpu_gather.sum_entries, jobs)


class CpuBlending:
    """The blending operator: about 40 bytes per Gaussian that a camera sees and 4 per entry of its tile lists."""

    def __init__(self, rasterizer: CpuRasterizer, count: int, views: list[tuple[View, Lists | None]]) -> None:
        self._rasterizer = rasterizer
        self._count = count
        self._views = views

    def forward(self, view: int, colors: np.ndarray) -> np.ndarray:
        """[H,W,3] picture over black of camera ``view`` for linear ``colors`` [N,3] of any sign."""
        seen = self._views[view][0]
        taken = np.ascontiguousarray(self._checked(colors, (self._count, 3))[seen.ids])
        image = np.empty((seen.height, seen.width, 3), np.float32)
        clear = np.empty((seen.height, seen.width, 1), np.float32)
        with self._pass(view) as pass_:
            pass_.composite(taken, image, clear)
        return image

    def transpose(self, view: int, picture: np.ndarray) -> np.ndarray:
        """[N,3] sum over the pixels of (blending weight x ``picture`` [H,W,3]) for camera ``view``."""
        seen = self._views[view][0]
        total = np.zeros((self._count, 3), np.float32)
        with self._pass(view) as pass_:
            pass_.pull_back(self._checked(picture, (seen.height, seen.width, 3)), total)
        return total

    @staticmethod
    def _checked(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        array = np.ascontiguousarray(array, np.float32)
        if array.shape != shape:
            raise ValueError(f"expected an array of shape {list(shape)}, found {list(array.shape)}")
        return array

    @contextmanager
    def _pass(self, view: int) -> Iterator[Pass]:
        with self._rasterizer._workspace() as workspace:
            yield Pass(self._rasterizer._crew, workspace, *self._views[view])

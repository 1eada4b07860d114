"""The rasteriser for processors: compiled kernels, driven by threads of our own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from exgs.raster import cpu_backward, cpu_composite, cpu_order, cpu_project, cpu_unproject
from exgs.raster.cpu_pass import Pass
from exgs.raster.cpu_view import MAX_LISTED, Lists, View, Workspace, camera_rows, list_tiles, project_view
from exgs.raster.crew import Crew
from exgs.raster.kernel import all_compiled
from exgs.raster.seam import Gradients, Pull, Rendering, no_gradients, picture_size
from exgs.scene import Camera, Gaussians

KERNELS = (
    cpu_project.project,
    cpu_order.count_digits,
    cpu_order.move_by_digit,
    cpu_order.counts_to_places,
    cpu_order.take_rects,
    cpu_order.count_tiles,
    cpu_order.list_tiles,
    cpu_order.sum_entries,
    cpu_composite.composite,
    cpu_composite.weigh,
    cpu_composite.pull_back,
    cpu_backward.pull_shapes,
    cpu_unproject.gather_moments,
    cpu_unproject.unproject,
)


class CpuRasterizer:
    """Rasterises on all cores; any thread may call any method at any time.

    Working memory grows to the largest scene drawn and is kept for the next picture, once per thread that
    calls.
    """

    name = "cpu"

    def __init__(
        self, *, threads: int | None = None, on_compile: Callable[[str], None] | None = None
    ) -> None:
        """``threads`` None takes all processors; ``on_compile`` hears of a wait for the compiler."""
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
                if depths is None:
                    pass_.composite(view.records, color[index], clear[index])
                else:
                    depths[index] = pass_.composite_deep(color[index], clear[index])
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
                lists = list_tiles(self._crew, view, (0, len(view.order)), Workspace()) if listed else None
                views.append((view, lists))
        return CpuBlending(self, len(gaussians), views)

    def gradients(self, gaussians: Gaussians, cameras: Sequence[Camera], pull: Pull) -> Gradients:
        """Draws every camera's picture, asks ``pull`` for its gradient and carries that back; the sum."""
        self._announce()
        total = no_gradients(gaussians)
        scene = (gaussians.means, gaussians.quats, gaussians.log_scales, gaussians.opacity_logits)
        with self._workspace() as workspace:
            for index, camera in enumerate(cameras):
                view = project_view(self._crew, gaussians, camera, workspace)
                listed = view.covered <= MAX_LISTED
                lists = list_tiles(self._crew, view, (0, len(view.order)), workspace) if listed else None
                pass_ = Pass(self._crew, workspace, view, lists)
                image = np.empty((camera.height, camera.width, 3), np.float32)
                pass_.composite(view.records, image, np.empty((camera.height, camera.width, 1), np.float32))
                slope = checked(pull(index, image), image.shape)
                pass_.pull_shapes(slope, image, (*scene, camera_rows(camera)), total)
        return total

    def _announce(self) -> None:
        callback, self._on_compile = self._on_compile, None
        if callback is not None and not all_compiled(KERNELS):
            callback("compiling the rasteriser (once for this installation, about 15 seconds)")

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


class CpuBlending:
    """The blending operator: about 40 bytes per Gaussian that a camera sees and 4 per tile that it covers."""

    def __init__(self, rasterizer: CpuRasterizer, count: int, views: list[tuple[View, Lists | None]]) -> None:
        self._rasterizer = rasterizer
        self._count = count
        self._views = views

    def forward(self, view: int, colors: np.ndarray) -> np.ndarray:
        """[H,W,3] picture over black of camera ``view`` for linear ``colors`` [N,3] of any sign."""
        seen = self._views[view][0]
        taken = checked(colors, (self._count, 3))[seen.ids]
        records = np.concatenate([seen.records, taken], axis=1)
        image = np.empty((seen.height, seen.width, 3), np.float32)
        clear = np.empty((seen.height, seen.width, 1), np.float32)
        with self._pass(view) as pass_:
            pass_.composite(records, image, clear)
        return image

    def transpose(self, view: int, picture: np.ndarray) -> np.ndarray:
        """[N,3] sum over the pixels of (blending weight x ``picture`` [H,W,3]) for camera ``view``."""
        seen = self._views[view][0]
        total = np.zeros((self._count, 3), np.float32)
        with self._pass(view) as pass_:
            pass_.pull_back(checked(picture, (seen.height, seen.width, 3)), total)
        return total

    @contextmanager
    def _pass(self, view: int) -> Iterator[Pass]:
        with self._rasterizer._workspace() as workspace:
            yield Pass(self._rasterizer._crew, workspace, *self._views[view])


def checked(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``array`` as contiguous float32, if it has the ``shape`` (ValueError otherwise)."""
    array = np.ascontiguousarray(array, np.float32)
    if array.shape != shape:
        raise ValueError(f"expected an array of shape {list(shape)}, found {list(array.shape)}")
    return array

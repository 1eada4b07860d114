"""The rasteriser for processors: compiled kernels, driven by threads of our own."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from exgs.raster import cpu_backward, cpu_composite, cpu_order, cpu_project, cpu_unproject
from exgs.raster.cpu_pass import Pass
from exgs.raster.cpu_view import MAX_LISTED, Workspace, camera_rows, list_tiles, project_view
from exgs.raster.crew import Crew
from exgs.raster.kernel import all_compiled
from exgs.raster.seam import Gradients, Pull, Rendering, Telling, checked, no_gradients, picture_size
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
                    pass_.composite(color[index], clear[index])
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

    def share_out(self, gaussians: Gaussians, camera: Camera, tell: Telling) -> tuple[np.ndarray, np.ndarray]:
        """Draws ``camera``'s picture and shares out what ``tell`` makes of it, for least-squares fits."""
        self._announce()
        total = np.zeros((len(gaussians), 4), np.float32)
        with self._drawn(gaussians, camera) as (pass_, image):
            pass_.pull_back(checked(tell(image), image.shape), total)
        return total[:, :3], total[:, 3]

    def gradients(self, gaussians: Gaussians, cameras: Sequence[Camera], pull: Pull) -> Gradients:
        """Draws every camera's picture, asks ``pull`` for its gradient and carries that back; the sum."""
        self._announce()
        total = no_gradients(gaussians)
        scene = (gaussians.means, gaussians.quats, gaussians.log_scales, gaussians.opacity_logits)
        for index, camera in enumerate(cameras):
            with self._drawn(gaussians, camera) as (pass_, image):
                slope = checked(pull(index, image), image.shape)
                pass_.pull_shapes(slope, image, (*scene, camera_rows(camera)), total)
        return total

    @contextmanager
    def _drawn(self, gaussians: Gaussians, camera: Camera) -> Iterator[tuple[Pass, np.ndarray]]:
        """A view with its picture [H,W,3], to be walked once more: its tile lists are kept where they may."""
        with self._workspace() as workspace:
            view = project_view(self._crew, gaussians, camera, workspace)
            listed = view.covered <= MAX_LISTED
            lists = list_tiles(self._crew, view, (0, len(view.order)), workspace) if listed else None
            pass_ = Pass(self._crew, workspace, view, lists)
            image = np.empty((camera.height, camera.width, 3), np.float32)
            pass_.composite(image, np.empty((camera.height, camera.width, 1), np.float32))
            yield pass_, image

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

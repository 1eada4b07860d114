"""Keeps a video steady: what was added to the last frame is added again where the same surface shows.

It is the residual that is carried over, never the colour: surfaces stay as sharp as they are drawn. A pixel
takes part of what was added to it before if its surface was in the last frame, at the depth that it should
have been at, and if what was drawn there has not changed.
"""

from __future__ import annotations

import numpy as np

from exgs.painter.recall_kernel import KEPT, recall
from exgs.painter.seam import Pictures
from exgs.painter.warping import pixel_map
from exgs.raster.crew import Crew, ranges
from exgs.scene import Camera


class Recall:
    """Of one video, one or two eyes. Knows nothing at first, and again after ``forget``."""

    def __init__(self, *, threads: int | None = None) -> None:
        """``threads`` None takes all processors."""
        self._crew = Crew(threads)
        self._cameras: tuple[Camera, ...] = ()
        self._past = self._spare = np.zeros((0, 0, 0, KEPT), np.float32)

    def forget(self) -> None:
        """The next frame stands for itself."""
        self._cameras = ()

    def steady(self, pictures: Pictures, restored: np.ndarray) -> np.ndarray:
        """[B,H,W,3] ``restored`` colours, in [0, 1], with what is still true of the last frame's residual.

        ``pictures``, with their depth, are what they were made of.
        """
        depth = pictures.depth
        if depth is None:
            raise ValueError("expected pictures with depth")
        shape = (*depth.shape, KEPT)
        if self._past.shape != shape:
            self.forget()
            self._past, self._spare = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
        if len(self._cameras) != len(depth):
            self._past[..., 6] = 0
            self._cameras = pictures.cameras
        out = np.empty(restored.shape, np.float32)
        jobs = []
        for eye, (camera, before) in enumerate(zip(pictures.cameras, self._cameras, strict=True)):
            where = np.concatenate([part.ravel() for part in pixel_map(camera, before)]).astype(np.float32)
            given = ((where, depth[eye]), (pictures.color[eye], restored[eye]), self._past[eye])
            jobs += [
                (rows, *given, out[eye], self._spare[eye])
                for rows in ranges(depth.shape[1], 2 * self._crew.threads)
            ]
        self._crew.share(recall, jobs)
        self._past, self._spare, self._cameras = self._spare, self._past, pictures.cameras
        return out

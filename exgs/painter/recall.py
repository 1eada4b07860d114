"""Keeps a video steady: what was added to the last frame is added again where the same surface shows, and
what was added for the left eye is added for the right one.

It is the residual that is carried over, never the colour: surfaces stay as sharp as they are drawn. A pixel
takes part of what was added elsewhere if its surface shows there, at the depth that it should have, and if
what was drawn there is the same.
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

        ``pictures``, with their depth, are what they were made of. The first eye's residual, so steadied, is
        then carried over to the others, so that both eyes see the same surface alike.
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
        out, eyes = np.empty(restored.shape, np.float32), range(len(depth))
        before = [(self._cameras[eye], self._past[eye]) for eye in eyes]
        self._blend(pictures, eyes, before, restored, out)
        left = (pictures.cameras[0], self._spare[0])
        self._blend(pictures, eyes[1:], [left for _ in eyes[1:]], out, out)
        self._past, self._spare, self._cameras = self._spare, self._past, pictures.cameras
        return out

    def _blend(
        self,
        pictures: Pictures,
        eyes: range,
        known: list[tuple[Camera, np.ndarray]],
        restored: np.ndarray,
        out: np.ndarray,
    ) -> None:
        """Carries over to each of ``eyes`` what is kept [H,W,8] of a camera's picture; ``out`` may be
        ``restored``. What comes of it is kept in ``_spare``."""
        depth, jobs = pictures.depth, []
        assert depth is not None
        for eye, (camera, kept) in zip(eyes, known, strict=True):
            where = pixel_map(pictures.cameras[eye], camera)
            flat = np.concatenate([part.ravel() for part in where]).astype(np.float32)
            given = ((flat, depth[eye]), (pictures.color[eye], restored[eye]), kept)
            jobs += [
                (rows, *given, out[eye], self._spare[eye])
                for rows in ranges(depth.shape[1], 2 * self._crew.threads)
            ]
        self._crew.share(recall, jobs)

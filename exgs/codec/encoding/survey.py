"""What views of a scene tell about each of its Gaussians: how much of them is seen, and how large."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.encoding.at_once import each
from exgs.codec.kernel import kernel
from exgs.raster.crew import Crew
from exgs.raster.seam import Rasterizer
from exgs.scene import Camera, Gaussians
from exgs.scene.spread import evenly

KEPT = np.float16
"""What pictures are kept as with an analysis."""
BATCH = 8
"""Views whose weights are added up for themselves: sums of many small numbers stay exact."""


@dataclass(frozen=True, eq=False)
class Survey:
    """Pictures of the scene from V cameras of one size, and what each Gaussian adds to them."""

    cameras: tuple[Camera, ...]
    """The views."""
    pictures: np.ndarray
    """[V,H,W,3] float32 renders of the scene over black."""
    weight_sum: np.ndarray
    """[N] float32 blending weight summed over all pixels."""
    footprint: np.ndarray
    """[N] float32 pixels per unit of area that faces the camera, summed over the views that frame it."""

    def thinned(self, count: int) -> Survey:
        """At most ``count`` of the views, evenly spaced; the sums stay those of all views."""
        if count >= len(self.cameras):
            return self
        chosen = evenly(len(self.cameras), count)
        cameras = tuple(self.cameras[index] for index in chosen)
        return replace(self, cameras=cameras, pictures=self.pictures[chosen])

    def of(self, keep: np.ndarray) -> Survey:
        """What the views tell of the Gaussians of ``keep`` [N] bool."""
        if keep.all():
            return self
        return replace(self, weight_sum=self.weight_sum[keep], footprint=self.footprint[keep])

    def round_pictures(self) -> None:
        """Makes the pictures as exact as an analysis keeps them: a file that comes out of a cache is then the
        one that filled it."""
        for picture in self.pictures:
            picture[...] = picture.astype(KEPT)

    @property
    def significance(self) -> np.ndarray:
        """[N] float32 blending weight per pixel: the global significance score of ExGS.

        Source: arXiv 2509.24758, global significance score. There sigma is a Gaussian's opacity; here it is
        its alpha at the pixel, so that the tails of a Gaussian count as little as they show.
        """
        views, height, width = self.pictures.shape[:3]
        return self.weight_sum / np.float32(views * height * width)


def survey(gaussians: Gaussians, cameras: Sequence[Camera], rasterizer: Rasterizer) -> Survey:
    """Renders ``gaussians`` from every camera and sums what each Gaussian adds."""
    first = cameras[0]
    pictures = np.empty((len(cameras), first.height, first.width, 3), np.float32)
    weight_sum = np.zeros(len(gaussians), np.float32)

    def look(view: int) -> np.ndarray | None:
        rendering = rasterizer.render(gaussians, [cameras[view]], weights=True)
        pictures[view] = rendering.color[0]
        return rendering.weight_sum

    batch = np.zeros_like(weight_sum)
    for view, weight in enumerate(each(rasterizer, look, range(len(cameras)))):
        batch += weight
        if (view + 1) % BATCH == 0 or view + 1 == len(cameras):
            weight_sum += batch
            batch[:] = 0
    footprint = np.empty(len(gaussians), np.float32)
    crew, rows = Crew(), _as_rows(cameras)
    jobs = [(a, b, gaussians.means, rows, footprint) for a, b in crew.parts(len(gaussians))]
    crew.share(_fill_footprint, jobs)
    return Survey(tuple(cameras), pictures, weight_sum, footprint)


def _as_rows(cameras: Sequence[Camera]) -> np.ndarray:
    """[V,15] float32: rotation, translation, focal length, half the picture's tangents."""
    rows = [
        np.concatenate(
            [
                camera.camera_from_world[:3, :3].ravel(),
                camera.camera_from_world[:3, 3],
                [camera.fx * camera.fy, camera.width / 2 / camera.fx, camera.height / 2 / camera.fy],
            ]
        )
        for camera in cameras
    ]
    return np.array(rows, np.float32)


@kernel
def _fill_footprint(begin: int, end: int, means: np.ndarray, views: np.ndarray, out: np.ndarray) -> None:
    for i in range(begin, end):
        total = 0.0
        for v in range(len(views)):
            c = views[v]
            z = c[6] * means[i, 0] + c[7] * means[i, 1] + c[8] * means[i, 2] + c[11]
            if z > 0.01:
                x = c[0] * means[i, 0] + c[1] * means[i, 1] + c[2] * means[i, 2] + c[9]
                y = c[3] * means[i, 0] + c[4] * means[i, 1] + c[5] * means[i, 2] + c[10]
                if abs(x) < z * c[13] and abs(y) < z * c[14]:
                    total += c[12] / (z * z)
        out[i] = total

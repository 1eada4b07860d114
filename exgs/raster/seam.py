"""The rasteriser's seam: what every backend takes and gives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from exgs.scene import Camera, Gaussians


@dataclass(frozen=True, eq=False)
class Rendering:
    """Pictures of one scene from B cameras of one size, over black."""

    color: np.ndarray
    """[B,H,W,3] float32, not clipped to [0, 1]."""
    alpha: np.ndarray
    """[B,H,W] float32 accumulated opacity in [0, 1]."""
    depth: np.ndarray | None = None
    """[B,H,W] float32 expected z along the view, weighted by blending and divided by alpha; 0 where empty."""
    weight_sum: np.ndarray | None = None
    """[N] float32 blending weight (opacity x transmittance) summed over all pixels of all cameras."""
    weight_max: np.ndarray | None = None
    """[N] float32 largest blending weight in any pixel of any camera."""


@dataclass(frozen=True, eq=False)
class Gradients:
    """What a number that depends on pictures gains per unit of each value of N Gaussians; float32."""

    means: np.ndarray
    """[N,3] in units of the scene."""
    turns: np.ndarray
    """[N,3] per radian about each of a Gaussian's own axes: its rotation R becomes R exp(turn)."""
    log_scales: np.ndarray
    """[N,3]."""
    opacity_logits: np.ndarray
    """[N]."""
    harmonics: np.ndarray
    """[N,1+K,3] the constant coefficient first, with directions held fixed."""


Pull = Callable[[int, np.ndarray], np.ndarray]
"""Takes a camera's index and its picture [H,W,3], gives the gradient with respect to that picture."""


Telling = Callable[[np.ndarray], np.ndarray]
"""Takes a camera's picture [H,W,3], gives what there is to be shared out at its pixels [H,W,3]."""


class Rasterizer(Protocol):
    """Gaussians and cameras in; pictures, opacity and each Gaussian's weight out.

    Model: Kerbl et al. 2023 with a 0.3 px low-pass on the projected covariance, near plane at z 0.01,
    alpha cut below 1/255 and above 0.99, stop at transmittance 1e-4, blending in order of z.
    """

    name: str
    """What the backend is called in reports."""

    def render(
        self, gaussians: Gaussians, cameras: Sequence[Camera], *, depth: bool = False, weights: bool = False
    ) -> Rendering:
        """Renders from every camera; all must share one picture size (ValueError otherwise)."""

    def share_out(self, gaussians: Gaussians, camera: Camera, tell: Telling) -> tuple[np.ndarray, np.ndarray]:
        """Draws ``camera``'s picture and shares out what ``tell`` makes of it, for least-squares fits.

        Geometry and order fixed, a picture is linear in the colours; this is the transpose. Gives [N,3] sums
        over the pixels of blending weight x what is told there, and [N] those of the weights alone.

        Raises:
            ValueError: what is told has another shape than the picture.
        """

    def gradients(self, gaussians: Gaussians, cameras: Sequence[Camera], pull: Pull) -> Gradients:
        """Draws every camera's picture, asks ``pull`` for its gradient and carries that back; the sum.

        The order of blending, and which Gaussians meet which pixels, count as fixed.
        """


def no_gradients(gaussians: Gaussians) -> Gradients:
    """Zeros for every value of ``gaussians``, to add to."""
    count, bands = len(gaussians), 1 + gaussians.shN.shape[1]
    shapes = ((count, 3), (count, 3), (count, 3), (count,), (count, bands, 3))
    return Gradients(*(np.zeros(shape, np.float32) for shape in shapes))


def picture_size(cameras: Sequence[Camera]) -> tuple[int, int]:
    """Width and height in pixels that all ``cameras`` share.

    Raises:
        ValueError: there are no cameras, or their pictures differ in size.
    """
    sizes = {(camera.width, camera.height) for camera in cameras}
    if len(sizes) != 1:
        raise ValueError(f"expected cameras of one picture size, found {sorted(sizes) or 'no cameras'}")
    return sizes.pop()


def checked(array: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """``array`` as contiguous float32, if it has the ``shape`` (ValueError otherwise)."""
    array = np.ascontiguousarray(array, np.float32)
    if array.shape != shape:
        raise ValueError(f"expected an array of shape {list(shape)}, found {list(array.shape)}")
    return array

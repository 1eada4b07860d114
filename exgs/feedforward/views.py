"""Posed pictures of one place: what a reconstruction is made from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from exgs.feedforward.errors import FeedforwardError
from exgs.scene import Camera, Frame


@dataclass(frozen=True, eq=False)
class Views:
    """Pictures of one size with the cameras that took them, and how far what they show is away."""

    pictures: np.ndarray
    """[V,H,W,3] uint8, as displayed (sRGB)."""
    cameras: tuple[Camera, ...]
    """[V], each of the pictures' size."""
    near: float
    """Nothing that matters is nearer along the view, in scene units; above zero."""
    far: float
    """Nothing that matters is farther, in scene units; above ``near``."""
    frame: Frame
    """Of the scene coordinates in which the cameras stand."""
    notes: tuple[str, ...] = ()
    """What reading had to suppose, in sentences for a person."""

    def __post_init__(self) -> None:
        pictures = self.pictures
        if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.dtype != np.uint8:
            raise FeedforwardError(
                f"pictures of shape {pictures.shape} and type {pictures.dtype}, expected [V,H,W,3] uint8"
            )
        if not len(self.cameras) == len(pictures) > 0:
            raise FeedforwardError(f"{len(pictures)} pictures and {len(self.cameras)} cameras")
        for camera in self.cameras:
            if (camera.height, camera.width) != pictures.shape[1:3]:
                raise FeedforwardError(
                    f"camera {camera.name!r}: {camera.width} x {camera.height}, but the pictures are "
                    f"{pictures.shape[2]} x {pictures.shape[1]}"
                )
        if not 0 < self.near < self.far < math.inf:
            raise FeedforwardError(f"near {self.near:g} and far {self.far:g}: expected 0 < near < far")

    def __len__(self) -> int:
        return len(self.cameras)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures in pixels."""
        return self.pictures.shape[2], self.pictures.shape[1]

    @property
    def names(self) -> list[str]:
        """[V] what the pictures are called."""
        return [camera.name for camera in self.cameras]

    @property
    def centres(self) -> np.ndarray:
        """[V,3] float64 where the cameras stand."""
        return np.stack([camera.position for camera in self.cameras])

    def select(self, indices: Sequence[int]) -> Views:
        """Those views, in that order."""
        cameras = tuple(self.cameras[index] for index in indices)
        return replace(self, pictures=self.pictures[list(indices)], cameras=cameras)

    def resized(self, width: int, height: int) -> Views:
        """As large a centred part of each picture as has the shape asked for, in that size."""
        if (width, height) == self.size:
            return self
        fitted = [
            fit(Image.fromarray(picture), camera, width, height)
            for picture, camera in zip(self.pictures, self.cameras, strict=True)
        ]
        pictures, cameras = zip(*fitted, strict=True)
        return replace(self, pictures=np.stack(pictures), cameras=cameras)


def fit(picture: Image.Image, camera: Camera, width: int, height: int) -> tuple[np.ndarray, Camera]:
    """[height,width,3] uint8 of an RGB picture's centred part of that shape, and the camera that took it.

    Each pixel is the mean of the area that it covers; where pixels are added, it is interpolated.
    """
    scale = max(width / camera.width, height / camera.height)
    left = (camera.width - width / scale) / 2
    top = (camera.height - height / scale) / 2
    right, bottom = min(left + width / scale, camera.width), min(top + height / scale, camera.height)
    method = Image.Resampling.BOX if scale <= 1 else Image.Resampling.BILINEAR
    part = picture.resize((width, height), method, box=(max(left, 0.0), max(top, 0.0), right, bottom))
    taken = replace(
        camera, fx=camera.fx * scale, fy=camera.fy * scale, cx=(camera.cx - left) * scale,
        cy=(camera.cy - top) * scale, width=width, height=height,
    )  # fmt: skip
    return np.asarray(part), taken

"""Pictures that a scene was made from, and the cameras that took them: what a file is to look like."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from exgs.codec.encoding.survey import Survey
from exgs.codec.errors import EncodeError
from exgs.scene import Camera
from exgs.scene.spread import evenly


@dataclass(frozen=True, eq=False)
class Photographs:
    """True pictures of one size, over black where nothing is.

    Raises:
        EncodeError: the pictures are no such array, or not those of the cameras.
    """

    cameras: tuple[Camera, ...]
    """[V], each of the pictures' size."""
    pictures: np.ndarray
    """[V,H,W,3] uint8, as displayed."""

    def __post_init__(self) -> None:
        pictures = self.pictures
        if pictures.ndim != 4 or pictures.shape[-1] != 3 or pictures.dtype != np.uint8:
            raise EncodeError(
                f"photographs of shape {list(pictures.shape)} and type {pictures.dtype}, "
                "expected [V,H,W,3] uint8"
            )
        if not len(self.cameras) == len(pictures) > 0:
            raise EncodeError(f"{len(pictures)} photographs and {len(self.cameras)} cameras")
        height, width = pictures.shape[1:3]
        for camera in self.cameras:
            if (camera.width, camera.height) != (width, height):
                raise EncodeError(
                    f"camera {camera.name!r} takes {camera.width} x {camera.height} pixels, "
                    f"its photograph has {width} x {height}"
                )

    def __len__(self) -> int:
        return len(self.cameras)

    def thinned(self, count: int) -> Photographs:
        """At most ``count`` of them, evenly spaced."""
        if count >= len(self):
            return self
        chosen = evenly(len(self), count)
        return replace(
            self, cameras=tuple(self.cameras[index] for index in chosen), pictures=self.pictures[chosen]
        )

    def within(self, width: int, height: int) -> Photographs:
        """All of them at most ``height`` pixels high and twice ``width`` wide, as means of areas.

        Of wider ones the middle is kept; none is enlarged.
        """
        high, wide = self.pictures.shape[1:3]
        least = min(height, high)
        size = (min(2 * width, max(1, least * wide // high)), least)
        if size == (wide, high):
            return self
        across = size[0] * high / size[1]
        box = (max(0.0, (wide - across) / 2), 0.0, min(float(wide), (wide + across) / 2), float(high))
        smaller = [
            Image.fromarray(picture).resize(size, Image.Resampling.BOX, box=box) for picture in self.pictures
        ]
        cameras = tuple(camera.resized(*size) for camera in self.cameras)
        return Photographs(cameras, np.stack([np.asarray(picture) for picture in smaller]))

    def instead_of(self, views: Survey) -> Survey:
        """These cameras and pictures, with the sums of ``views``."""
        pictures = self.pictures.astype(np.float32) / np.float32(255)
        return replace(views, cameras=self.cameras, pictures=pictures)

"""What a COLMAP model holds, however it is written: lenses, posed images and points.

Source: the COLMAP documentation, Output Format, and its list of camera models.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.feedforward.errors import FeedforwardError

MAX_FILE_BYTES = 4 << 30
"""Of each of the three files."""
MAX_IMAGES = 20_000
MAX_NAME_BYTES = 1024
MODELS = {
    "SIMPLE_PINHOLE": (0, "f cx cy"),
    "PINHOLE": (1, "fx fy cx cy"),
    "SIMPLE_RADIAL": (2, "f cx cy k"),
    "RADIAL": (3, "f cx cy k1 k2"),
    "OPENCV": (4, "fx fy cx cy k1 k2 p1 p2"),
    "OPENCV_FISHEYE": (5, "fx fy cx cy k1 k2 k3 k4"),
    "FULL_OPENCV": (6, "fx fy cx cy k1 k2 p1 p2 k3 k4 k5 k6"),
    "FOV": (7, "fx fy cx cy omega"),
    "SIMPLE_RADIAL_FISHEYE": (8, "f cx cy k"),
    "RADIAL_FISHEYE": (9, "f cx cy k1 k2"),
    "THIN_PRISM_FISHEYE": (10, "fx fy cx cy k1 k2 p1 p2 k3 k4 sx1 sy1"),
    "RAD_TAN_THIN_PRISM_FISHEYE": (11, "fx fy cx cy k0 k1 k2 k3 k4 k5 p0 p1 s0 s1 s2 s3"),
    "SIMPLE_DIVISION": (12, "f cx cy k"),
    "DIVISION": (13, "fx fy cx cy k"),
    "SIMPLE_FISHEYE": (14, "f cx cy"),
    "FISHEYE": (15, "fx fy cx cy"),
    "EUCM": (16, "fx fy cx cy alpha beta"),
    "EQUIRECTANGULAR": (17, "w h"),
}
"""Number and parameters of each camera model."""
STRAIGHT = ("SIMPLE_PINHOLE", "PINHOLE", "SIMPLE_RADIAL", "RADIAL", "OPENCV", "FULL_OPENCV")
"""Models that are a pinhole where what stands behind the principal point is zero."""


@dataclass(frozen=True)
class Lens:
    """One entry of the cameras file."""

    model: str
    """A name among ``MODELS``."""
    width: int
    """Of its pictures, in pixels."""
    height: int
    """Of its pictures, in pixels."""
    parameters: tuple[float, ...]
    """As many as the model has."""


@dataclass(frozen=True, eq=False)
class PosedImage:
    """One entry of the images file."""

    name: str
    """Path of the picture within the folder of pictures."""
    lens: int
    """Which camera took it."""
    quat: tuple[float, ...]
    """Rotation from the world to the camera, wxyz."""
    shift: tuple[float, ...]
    """Translation from the world to the camera."""
    seen: np.ndarray
    """[n] int64 ids of the points that were found in it."""


@dataclass(frozen=True, eq=False)
class Model:
    """The three files of a model."""

    lenses: dict[int, Lens]
    """By their ids."""
    images: tuple[PosedImage, ...]
    """In the order of the file."""
    point_ids: np.ndarray
    """[P] int64."""
    points: np.ndarray
    """[P,3] float64 in world coordinates."""


def pinhole(lens: Lens, where: str) -> tuple[float, float, float, float]:
    """fx, fy, cx, cy of a lens.

    Raises:
        FeedforwardError: it bends straight lines; the message says what straightens the pictures.
    """
    names = MODELS[lens.model][1].split()
    if lens.model not in STRAIGHT:
        raise FeedforwardError(
            f"{where}: the camera model {lens.model} is no pinhole; 'colmap image_undistorter' makes "
            "pictures and a model that are"
        )
    values = dict(zip(names, lens.parameters, strict=True))
    bent = [f"{name} {values[name]:g}" for name in names if name[0] in "kp" and values[name]]
    if bent:
        raise FeedforwardError(
            f"{where}: {lens.model} pictures are distorted ({', '.join(bent)}); 'colmap image_undistorter' "
            "makes pictures and a model that are not"
        )
    return (
        values.get("fx", values.get("f", 0)),
        values.get("fy", values.get("f", 0)),
        values["cx"],
        values["cy"],
    )


def read_whole(path: Path) -> bytes:
    """The bytes of one file of a model.

    Raises:
        FeedforwardError: it cannot be read, or is larger than any model.
    """
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FeedforwardError(f"{path}: larger than {MAX_FILE_BYTES} bytes, not a COLMAP model")
        return path.read_bytes()
    except OSError as error:
        raise FeedforwardError(f"{path}: {error.strerror or error}") from error

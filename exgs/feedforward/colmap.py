"""COLMAP folders: a model in ``sparse/0``, ``sparse`` or the folder itself, pictures in ``images``.

The pictures must be undistorted. Files are read here and not by pycolmap: docs/decisions/0019.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from exgs.feedforward.capture import Capture, check, inside
from exgs.feedforward.colmap_binary import read_binary_model
from exgs.feedforward.colmap_model import Lens, Model, PosedImage, pinhole
from exgs.feedforward.colmap_text import read_text_model
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.folders import find_model
from exgs.feedforward.span import span_of_cameras, span_of_depths, span_of_points
from exgs.scene import Camera, Frame, SceneError
from exgs.scene.camera import MAX_PICTURE_SIDE

PICTURES = "images"
FRAME = Frame("RDF")
"""COLMAP's world has no up of its own; trainers of 3DGS call it so, and files ought to fit each other."""
UNIT_TOLERANCE = 1e-2
"""How far the length of a quaternion may be from 1."""
GUESSED = "the model has no points: near and far are guessed from the cameras"


def read_colmap(folder: Path) -> Capture:
    """The capture of a COLMAP folder, its views in the order of their names.

    Raises:
        FeedforwardError: there is no sound model of undistorted pictures, or a picture is missing.
    """
    home = find_model(folder)
    if home is None:
        raise FeedforwardError(
            f"{folder}: no COLMAP model (looked for images.bin and images.txt in sparse/0)"
        )
    binary = (home / "images.bin").is_file() and (home / "cameras.bin").is_file()
    model = read_binary_model(home) if binary else read_text_model(home)
    images = sorted(model.images, key=lambda image: image.name)
    if len({image.name for image in images}) < len(images):
        raise FeedforwardError(f"{home}: two images share a name")
    cameras = tuple(_camera(model, image, str(home)) for image in images)
    pictures = tuple(inside(_pictures(folder, home), image.name, str(home)) for image in images)
    near_far = _span(model, images, cameras)
    notes = () if near_far else (GUESSED,)
    near, far = near_far or (span_of_cameras(cameras) if len(cameras) > 1 else (1.0, 2.0))
    return check(Capture(cameras, pictures, near, far, FRAME, notes), str(folder))


def _pictures(folder: Path, home: Path) -> Path:
    """Where the pictures lie: in ``folder``, or above it where that is the model's own."""
    above = home.parents[:2] if home == folder else ()
    beside = (folder / PICTURES, home / PICTURES, *(parent / PICTURES for parent in above))
    return next((place for place in beside if place.is_dir()), folder / PICTURES)


def _camera(model: Model, image: PosedImage, where: str) -> Camera:
    lens = model.lenses.get(image.lens)
    if lens is None:
        raise FeedforwardError(f"{where}: {image.name!r} names the camera {image.lens}, which is not there")
    _check_size(lens, where)
    fx, fy, cx, cy = pinhole(lens, where)
    matrix = np.eye(4)
    matrix[:3, :3] = _rotation(image, where)
    matrix[:3, 3] = image.shift
    try:
        return Camera(matrix, fx, fy, cx, cy, lens.width, lens.height, image.name)
    except SceneError as error:
        raise FeedforwardError(f"{where}: {error}") from error


def _check_size(lens: Lens, where: str) -> None:
    if not (0 < lens.width <= MAX_PICTURE_SIDE and 0 < lens.height <= MAX_PICTURE_SIDE):
        raise FeedforwardError(
            f"{where}: a camera of {lens.width} x {lens.height} pixels, "
            f"expected 1 to {MAX_PICTURE_SIDE} a side"
        )


def _rotation(image: PosedImage, where: str) -> np.ndarray:
    """[3,3] of the image's quaternion."""
    quat = np.array(image.quat)
    with np.errstate(over="ignore", invalid="ignore"):
        length = np.linalg.norm(quat)
    if not abs(length - 1) < UNIT_TOLERANCE:
        raise FeedforwardError(
            f"{where}: the pose of {image.name!r} is no rotation (a quaternion of length {length:g})"
        )
    w, x, y, z = quat / length
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


def _span(
    model: Model, images: list[PosedImage], cameras: tuple[Camera, ...]
) -> tuple[float, float] | None:  # fmt: skip
    """Near and far: of the points that were found in each image, or, where no image says, that lie in it."""
    if not any(len(image.seen) for image in images):
        return span_of_points(model.points, cameras) if cameras else None
    order = np.argsort(model.point_ids, kind="stable")
    ids, points = model.point_ids[order], model.points[order]
    depths = [np.zeros(0)]
    for image, camera in zip(images, cameras, strict=True):
        rows = np.searchsorted(ids, image.seen)
        rows = (
            rows[(rows < len(ids)) & (ids[np.minimum(rows, len(ids) - 1)] == image.seen)] if len(ids) else []
        )
        with np.errstate(all="ignore"):
            depths.append(points[rows] @ camera.camera_from_world[2, :3] + camera.camera_from_world[2, 3])
    return span_of_depths(np.concatenate(depths))

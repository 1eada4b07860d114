"""NeRF style ``transforms.json``: a list of frames, each a picture and the camera's place in the world.

Cameras are in OpenGL axes (x right, y up, z back). Intrinsics may stand once for all or in each frame, as
nerfstudio and instant-ngp write them, or as ``camera_angle_x`` alone, as the first NeRF scenes have it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from exgs.feedforward.capture import Capture, check, inside, picture_size
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.folders import SUFFIXES, TRANSFORMS
from exgs.feedforward.point_cloud import read_points
from exgs.feedforward.span import span_of_cameras, span_of_points
from exgs.scene import Camera, Frame, SceneError
from exgs.scene.formats.bounded import read_object

MAX_FILE_BYTES = 256 << 20
MAX_FRAMES = 20_000
FRAME = Frame("RFU")
"""z is up by convention of all who write such files."""
STRAIGHT = ("PINHOLE", "SIMPLE_PINHOLE", "OPENCV", "SIMPLE_RADIAL", "RADIAL", "FULL_OPENCV")
"""Values of ``camera_model`` that are a pinhole where the distortion is zero."""
MAX_NUMBER = 1e12
DISTORTION = ("k1", "k2", "k3", "k4", "k5", "k6", "p1", "p2")
GUESSED = f"near and far are guessed from the cameras: {TRANSFORMS} names neither a ply_file_path nor them"


def read_transforms(path: Path) -> Capture:
    """The capture of a ``transforms.json``, its views in the order of their pictures' names.

    Raises:
        FeedforwardError: it is none, its pictures are distorted or missing, or a pose is none.
    """
    document = read_document(path)
    frames = document.get("frames")
    if not isinstance(frames, list) or len(frames) > MAX_FRAMES:
        raise FeedforwardError(f'{path}: expected a list "frames" of at most {MAX_FRAMES}')
    for index, frame in enumerate(frames):
        if not isinstance(frame, dict) or not isinstance(frame.get("file_path"), str):
            raise FeedforwardError(f"{path}: frame {index}: expected an object with a file_path")
    frames.sort(key=lambda frame: str(frame["file_path"]))
    pictures = tuple(_picture(path, frame["file_path"]) for frame in frames)
    cameras = tuple(
        _camera(path, {**document, **frame}, picture) for frame, picture in zip(frames, pictures, strict=True)
    )
    near, far, notes = _span(path, document, cameras)
    return check(Capture(cameras, pictures, near, far, FRAME, notes), str(path))


def read_document(path: Path) -> dict[str, Any]:
    """The object of a JSON file.

    Raises:
        FeedforwardError: it cannot be read, or holds something else.
    """
    return read_object(path, MAX_FILE_BYTES, FeedforwardError)


def _picture(path: Path, name: str) -> Path:
    """The picture's file; the name may lack its suffix."""
    stem = inside(path.parent, name, str(path))
    names = (stem, *(stem.with_name(stem.name + suffix) for suffix in SUFFIXES))
    return next((place for place in names if place.is_file()), stem)


def _camera(path: Path, stated: Mapping[str, Any], picture: Path) -> Camera:
    where = f"{path}: {stated['file_path'][:80]}"
    _check_straight(stated, where)
    width, height = _size(stated, picture, where)
    fx = _focal(stated, "x", width, where)
    fy = _focal(stated, "y", height, where)
    if fx is None and fy is None:
        raise FeedforwardError(f"{where}: no focal length (looked for fl_x, fl_y and camera_angle_x)")
    cx = _number(stated, "cx", where, default=width / 2)
    cy = _number(stated, "cy", where, default=height / 2)
    try:
        return Camera(
            _camera_from_world(stated, where), fx or fy or 0.0, fy or fx or 0.0, cx, cy, width, height,
            picture.name,
        )  # fmt: skip
    except SceneError as error:
        raise FeedforwardError(f"{where}: {error}") from error


def _check_straight(stated: Mapping[str, Any], where: str) -> None:
    model = stated.get("camera_model", "PINHOLE")
    remedy = "undistort the pictures first, with 'colmap image_undistorter' or cv2.undistort"
    if model not in STRAIGHT or stated.get("is_fisheye"):
        raise FeedforwardError(f"{where}: the camera model {str(model)[:40]} is no pinhole; {remedy}")
    bent = [f"{key} {stated[key]}" for key in DISTORTION if _number(stated, key, where, default=0.0)]
    if bent:
        raise FeedforwardError(f"{where}: the pictures are distorted ({', '.join(bent)}); {remedy}")


def _size(stated: Mapping[str, Any], picture: Path, where: str) -> tuple[int, int]:
    """Of the picture: as stated, or as its file has it."""
    if "w" not in stated or "h" not in stated:
        return picture_size(picture)
    width, height = _number(stated, "w", where), _number(stated, "h", where)
    if not (width.is_integer() and height.is_integer()):
        raise FeedforwardError(f"{where}: a picture of {width:g} x {height:g} pixels")
    return int(width), int(height)


def _focal(stated: Mapping[str, Any], axis: str, side: int, where: str) -> float | None:
    """In pixels; from the angle of view where the length is not stated; None where neither is."""
    if f"fl_{axis}" in stated:
        return _number(stated, f"fl_{axis}", where)
    if f"camera_angle_{axis}" not in stated:
        return None
    angle = _number(stated, f"camera_angle_{axis}", where)
    if not 0 < angle < math.pi:
        raise FeedforwardError(f"{where}: camera_angle_{axis} {angle:g}, expected radians from 0 to pi")
    return side / 2 / math.tan(angle / 2)


def _camera_from_world(stated: Mapping[str, Any], where: str) -> np.ndarray:
    try:
        matrix = np.array(stated.get("transform_matrix"), np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise FeedforwardError(f"{where}: transform_matrix is not 4 x 4 numbers") from error
    if matrix.shape not in ((4, 4), (3, 4)) or not np.isfinite(matrix).all():
        raise FeedforwardError(f"{where}: transform_matrix is not 4 x 4 finite numbers")
    turn, place = matrix[:3, :3] * (1, -1, -1), matrix[:3, 3]
    result = np.eye(4)
    result[:3, :3], result[:3, 3] = turn.T, -turn.T @ place
    return result


def stated_span(path: Path, document: Mapping[str, Any]) -> tuple[float, float] | None:
    """Near and far as the list of views states them; None where it does not.

    Raises:
        FeedforwardError: they make no sense.
    """
    if "near" not in document or "far" not in document:
        return None
    near, far = _number(document, "near", str(path)), _number(document, "far", str(path))
    if not 0 < near < far:
        raise FeedforwardError(f"{path}: near {near:g} and far {far:g}, expected 0 < near < far")
    return near, far


def _span(
    path: Path, document: Mapping[str, Any], cameras: tuple[Camera, ...]
) -> tuple[float, float, tuple[str, ...]]:
    """Near and far, and what had to be supposed: as stated, of the points, or a guess."""
    stated = stated_span(path, document)
    if stated is not None:
        return *stated, ()
    name = document.get("ply_file_path")
    if isinstance(name, str) and cameras:
        span = span_of_points(read_points(inside(path.parent, name, str(path))), cameras)
        if span is not None:
            return *span, ()
    near, far = span_of_cameras(cameras) if len(cameras) > 1 else (1.0, 2.0)
    return near, far, (GUESSED,)


def _number(stated: Mapping[str, Any], key: str, where: str, *, default: float | None = None) -> float:
    value = stated.get(key, default)
    wrong = isinstance(value, bool) or not isinstance(value, int | float)
    if wrong or not -MAX_NUMBER < value < MAX_NUMBER:
        raise FeedforwardError(f"{where}: {key} is {str(value)[:40]!r}, expected a number")
    return float(value)

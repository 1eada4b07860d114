"""Pinhole cameras and the files that list them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.atomic import write_bytes
from exgs.scene.formats.bounded import read_object

MAX_CAMERA_FILE_BYTES = 64 << 20
MAX_PICTURE_SIDE = 16384
MAX_NAME = 128
"""Characters of a camera's name in a file."""
CONVENTION = (
    "OpenCV: x right, y down, z forward; camera_from_world maps world points to camera space; "
    "pixels, principal point at the picture's centre"
)


@dataclass(frozen=True, eq=False)
class Camera:
    """A pinhole camera: OpenCV axes (x right, y down, z forward), pixel centres at +0.5."""

    camera_from_world: np.ndarray
    """[4,4] float64 rigid transform from scene coordinates to the camera's."""
    fx: float
    """Focal length along x, in pixels."""
    fy: float
    """Focal length along y, in pixels."""
    cx: float
    """Principal point from the left edge, in pixels."""
    cy: float
    """Principal point from the top edge, in pixels."""
    width: int
    """Picture width in pixels."""
    height: int
    """Picture height in pixels."""
    name: str = ""
    """What the camera's picture is called."""

    def __post_init__(self) -> None:
        matrix = np.asarray(self.camera_from_world, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
            raise SceneError(f"camera {self.name!r}: camera_from_world must be 4 x 4 finite numbers")
        turn = matrix[:3, :3]
        if (
            np.abs(turn).max() > 2
            or np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3
            or np.linalg.det(turn) < 0
        ):
            raise SceneError(f"camera {self.name!r}: camera_from_world is not a rotation and a translation")
        if np.abs(matrix[3] - (0.0, 0.0, 0.0, 1.0)).max() > 1e-6:
            raise SceneError(f"camera {self.name!r}: the last row of camera_from_world must be 0 0 0 1")
        numbers = (self.fx, self.fy, self.cx, self.cy)
        if not all(math.isfinite(number) for number in numbers) or self.fx <= 0 or self.fy <= 0:
            raise SceneError(f"camera {self.name!r}: focal lengths must be positive and finite")
        if not (0 < self.width <= MAX_PICTURE_SIDE and 0 < self.height <= MAX_PICTURE_SIDE):
            raise SceneError(
                f"camera {self.name!r}: picture of {self.width} x {self.height} pixels, "
                f"expected 1 to {MAX_PICTURE_SIDE} a side"
            )
        object.__setattr__(self, "camera_from_world", matrix)

    @property
    def position(self) -> np.ndarray:
        """[3] centre of projection in scene coordinates."""
        turn, shift = self.camera_from_world[:3, :3], self.camera_from_world[:3, 3]
        return np.asarray(-turn.T @ shift)

    @property
    def world_from_camera(self) -> np.ndarray:
        """[4,4] the inverse transform."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.camera_from_world[:3, :3].T
        matrix[:3, 3] = self.position
        return matrix

    def resized(self, width: int, height: int) -> Camera:
        """The same view at another resolution: the vertical field of view stays, pixels stay square."""
        scale = height / self.height
        return replace(
            self,
            fx=self.fx * scale,
            fy=self.fy * scale,
            cx=width / 2 + (self.cx - self.width / 2) * scale,
            cy=self.cy * scale,
            width=width,
            height=height,
        )

    @staticmethod
    def looking(
        position: np.ndarray,
        target: np.ndarray,
        up: np.ndarray,
        *,
        fov_y_rad: float,
        size: tuple[int, int],
        name: str = "",
    ) -> Camera:
        """A camera at ``position`` [3] that looks at ``target`` [3], with ``up`` [3] upwards in its picture.

        ``size`` is (width, height) in pixels, ``fov_y_rad`` the vertical field of view.
        """
        forward = np.asarray(target, np.float64) - position
        if not np.linalg.norm(forward) > 0:
            raise SceneError(f"camera {name!r}: position and target coincide")
        forward = forward / np.linalg.norm(forward)
        right = np.cross(forward, np.asarray(up, np.float64))
        if np.linalg.norm(right) < 1e-6:
            right = np.cross(forward, np.roll(np.asarray(up, np.float64), 1))
        right = right / np.linalg.norm(right)
        matrix = np.eye(4)
        matrix[:3, :3] = np.stack([right, np.cross(forward, right), forward])
        matrix[:3, 3] = -matrix[:3, :3] @ position
        width, height = size
        focal = height / 2 / math.tan(fov_y_rad / 2)
        return Camera(matrix, focal, focal, width / 2, height / 2, width, height, name)


def cameras_looking(
    positions: np.ndarray, targets: np.ndarray, up: np.ndarray, *, fov_y_rad: float, size: tuple[int, int]
) -> list[Camera]:
    """Cameras at ``positions`` [n,3] that look at ``targets`` [n,3] each, named 000, 001 and so on.

    ``up``, ``fov_y_rad`` and ``size`` are as for ``Camera.looking``.
    """
    return [
        Camera.looking(position, target, up, fov_y_rad=fov_y_rad, size=size, name=f"{number:03d}")
        for number, (position, target) in enumerate(zip(positions, targets, strict=True))
    ]


def read_cameras(path: str | Path) -> list[Camera]:
    """The cameras of a JSON file with the convention above.

    Raises:
        SceneError: the file cannot be read, is no such file, or a camera in it is unsound.
    """
    path = Path(path)
    entries = read_object(path, MAX_CAMERA_FILE_BYTES, SceneError).get("cameras")
    if not isinstance(entries, list) or not entries:
        raise SceneError(f'{path}: expected an object with a non-empty list "cameras"')
    cameras = [_parse(path, index, entry) for index, entry in enumerate(entries)]
    names = [camera.name for camera in cameras]
    if len(set(names)) != len(names):
        raise SceneError(f"{path}: two cameras share a name")
    return cameras


def write_cameras(
    path: str | Path, cameras: Sequence[Camera], *, span: tuple[float, float] | None = None
) -> None:
    """Writes ``cameras`` as a JSON file that ``read_cameras`` reads.

    ``span`` is how far what they see is away, from the nearest to the farthest, where that is known.

    Raises:
        SceneError: the file cannot be written.
    """
    entries = [
        {
            "name": camera.name,
            "camera_from_world": camera.camera_from_world.tolist(),
            **{key: getattr(camera, key) for key in ("fx", "fy", "cx", "cy", "width", "height")},
        }
        for camera in cameras
    ]
    depths = {} if span is None else {"near": span[0], "far": span[1]}
    text = json.dumps({"convention": CONVENTION, **depths, "cameras": entries}, indent=1)
    write_bytes(Path(path), f"{text}\n".encode())


def _parse(path: Path, index: int, entry: Any) -> Camera:
    where = f"{path}: camera {index}"
    if not isinstance(entry, dict):
        raise SceneError(f"{where}: expected an object")
    name = str(entry.get("name", f"{index:03d}"))
    if not re.fullmatch(rf"[\w.\- ]{{1,{MAX_NAME}}}", name) or name.startswith("."):
        raise SceneError(f"{where}: name {name[:40]!r} cannot be a file name")
    try:
        numbers = [float(entry[key]) for key in ("fx", "fy", "cx", "cy")]
        width, height = int(entry["width"]), int(entry["height"])
        matrix = np.array(entry["camera_from_world"], dtype=np.float64)
    except KeyError as error:
        raise SceneError(f"{where}: {error.args[0]} is missing") from error
    except (TypeError, ValueError, OverflowError) as error:
        raise SceneError(f"{where}: {error}") from error
    try:
        return Camera(matrix, numbers[0], numbers[1], numbers[2], numbers[3], width, height, name)
    except SceneError as error:
        raise SceneError(f"{path}: {error}") from error

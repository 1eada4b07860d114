"""Captures as other programs write them, made here from cameras and points."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.spatial.transform import Rotation

from exgs.scene import Camera
from exgs.scene.camera import cameras_looking

WIDTH, HEIGHT = 24, 16


def cameras_around(count: int = 5) -> list[Camera]:
    """On an arc of a radius of 3 around the origin, a little above it; y points down."""
    angle = np.linspace(0.2, 1.4, count)
    places = np.stack([3 * np.cos(angle), np.full(count, -0.5), 3 * np.sin(angle)], axis=1)
    return cameras_looking(
        places, np.zeros((count, 3)), np.array([0.0, -1, 0]), fov_y_rad=0.9, size=(WIDTH, HEIGHT)
    )


def points_around(count: int = 40) -> np.ndarray:
    """In a ball of a radius of about 1 around the origin."""
    return np.random.default_rng(3).normal(scale=0.3, size=(count, 3))


def write_pictures(folder: Path, names: Sequence[str]) -> None:
    """One picture of noise for each name."""
    rng = np.random.default_rng(1)
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)).save(path)


def pose(camera: Camera) -> tuple[list[float], list[float]]:
    """The quaternion wxyz and the shift from the world to the camera."""
    x, y, z, w = Rotation.from_matrix(camera.camera_from_world[:3, :3]).as_quat()
    return [float(value) for value in (w, x, y, z)], [float(v) for v in camera.camera_from_world[:3, 3]]


def write_text(
    folder: Path, cameras: Sequence[Camera], points: np.ndarray, *, lens: str | None = None, seen: bool = True
) -> None:
    """A model as text: every image has found every point."""
    folder.mkdir(parents=True, exist_ok=True)
    one = cameras[0]
    lens = lens or f"PINHOLE {one.width} {one.height} {one.fx} {one.fy} {one.cx} {one.cy}"
    (folder / "cameras.txt").write_text(f"# remarks\n1 {lens}\n")
    lines = ["# IMAGE_ID, QW, ..."]
    found = " ".join(f"1.5 2.5 {number + 1}" for number in range(len(points))) + " 3 4 -1" if seen else ""
    for number, camera in enumerate(cameras):
        quat, shift = pose(camera)
        lines += [" ".join(map(str, (number + 1, *quat, *shift, 1, f"im {number}.png"))), found]
    (folder / "images.txt").write_text("\n".join(lines) + "\n")
    rows = [f"{n + 1} {x} {y} {z} 1 2 3 0.5 1 0 2 0" for n, (x, y, z) in enumerate(points)]
    (folder / "points3D.txt").write_text("\n".join(["# points", *rows]) + "\n")


def write_binary(
    folder: Path,
    cameras: Sequence[Camera],
    points: np.ndarray,
    *,
    model: int = 1,
    extra: Sequence[float] = (),
) -> None:
    """The same as little-endian records."""
    folder.mkdir(parents=True, exist_ok=True)
    one = cameras[0]
    parameters = [one.fx, one.fy, one.cx, one.cy, *extra]
    lens = struct.pack("<iiQQ", 1, model, one.width, one.height)
    (folder / "cameras.bin").write_bytes(
        struct.pack("<Q", 1) + lens + struct.pack(f"<{len(parameters)}d", *parameters)
    )
    images = struct.pack("<Q", len(cameras))
    for number, camera in enumerate(cameras):
        quat, shift = pose(camera)
        images += struct.pack("<I7dI", number + 1, *quat, *shift, 1) + f"im {number}.png\0".encode()
        images += struct.pack("<Q", len(points) + 1) + struct.pack("<ddq", 3, 4, -1)
        images += b"".join(struct.pack("<ddq", 1.5, 2.5, n + 1) for n in range(len(points)))
    (folder / "images.bin").write_bytes(images)
    data = struct.pack("<Q", len(points))
    for number, (x, y, z) in enumerate(points):
        data += struct.pack("<Qddd3Bd", number + 1, x, y, z, 1, 2, 3, 0.5) + struct.pack(
            "<QIIII", 2, 1, 0, 2, 0
        )
    (folder / "points3D.bin").write_bytes(data)


def frames(cameras: Sequence[Camera], *, suffix: str = ".png") -> list[dict[str, Any]]:
    """The list of a transforms.json, OpenGL axes, no intrinsics."""
    made = []
    for number, camera in enumerate(cameras):
        matrix = camera.world_from_camera
        matrix[:3, 1:3] *= -1
        made.append({"file_path": f"./images/{number:02d}{suffix}", "transform_matrix": matrix.tolist()})
    return made


def write_transforms(folder: Path, cameras: Sequence[Camera], **changes: Any) -> Path:
    """A transforms.json in nerfstudio's manner, with its pictures; what is changed to None is left out."""
    one = cameras[0]
    document = {
        "camera_model": "OPENCV", "fl_x": one.fx, "fl_y": one.fy, "cx": one.cx, "cy": one.cy,
        "w": one.width, "h": one.height, "k1": 0.0, "k2": 0, "p1": 0.0, "p2": 0.0,
        "frames": frames(cameras), **changes,
    }  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "transforms.json"
    path.write_text(json.dumps({key: value for key, value in document.items() if value is not None}))
    write_pictures(folder, [f"images/{number:02d}.png" for number in range(len(cameras))])
    return path


def angle_x(camera: Camera) -> float:
    """The horizontal field of view in radians."""
    return 2 * math.atan(camera.width / 2 / camera.fx)


def assert_same_cameras(found: Sequence[Camera], expected: Sequence[Camera]) -> None:
    """Both look at the world alike."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one.camera_from_world, other.camera_from_world, atol=1e-9)
        values = [(c.fx, c.fy, c.cx, c.cy, c.width, c.height) for c in (one, other)]
        np.testing.assert_allclose(*values)

"""View sets: pictures of a scene with cameras and true depths, to learn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.paths import find_path
from exgs.feedforward.span import span_of_depths
from exgs.raster import Rasterizer, to_bytes
from exgs.scene import Camera, Frame, Gaussians, SceneError
from exgs.scene.site import measure_site
from exgs.training.layout import Layout

SETS = Layout(
    index="views.json",
    version=1,
    file="view set",
    command="exgs feedforward make-views",
    arrays=(
        "pictures", "depths", "walk", "camera_from_world", "intrinsics", "near", "far", "axes",
        "metres_per_unit",
    ),
    error=FeedforwardError,
)  # fmt: skip
"""Folders of view sets."""
SEEN = 0.5
"""Opacity from which a pixel has a depth."""


@dataclass(frozen=True, eq=False)
class ViewSet:
    """V views of one scene, walk after walk, each in the order of going."""

    scene: str
    """What the scene is called."""
    pictures: np.ndarray
    """[V,H,W,3] uint8 as displayed, over black."""
    depths: np.ndarray
    """[V,H,W] float16 depth along the view, in units of the scene; 0 where nothing is."""
    walk: np.ndarray
    """[V] int32 which walk a view belongs to."""
    cameras: tuple[Camera, ...]
    """[V] where they were taken from."""
    near: float
    """Less than any depth but outliers, in units of the scene."""
    far: float
    """More than any depth but outliers."""
    frame: Frame
    """The scene's."""

    def __len__(self) -> int:
        return len(self.pictures)


@dataclass(frozen=True)
class SetSettings:
    """Which views are taken of a scene."""

    views: int = 128
    """Views of each scene."""
    walk: int = 64
    """Views of each walk."""
    size: tuple[int, int] = (224, 128)
    """Width and height of the pictures."""
    seed: int = 0
    """Seed of the walks."""


def make_view_set(
    name: str,
    gaussians: Gaussians,
    settings: SetSettings,
    *,
    rasterizer: Rasterizer,
    progress: Callable[[float], None] = lambda share: None,
) -> ViewSet:
    """The views of one scene; the same scene and settings give the same."""
    site = measure_site(gaussians)
    cameras: list[Camera] = []
    while len(cameras) < settings.views:
        count = min(settings.walk, settings.views - len(cameras))
        path = find_path(site, count, seed=settings.seed * 1000 + len(cameras), size=settings.size)
        cameras += path.cameras(np.linspace(0, 1, count), settings.size)
    named = tuple(replace(camera, name=f"{number:03d}") for number, camera in enumerate(cameras))
    pictures, depths = look(gaussians, named, rasterizer=rasterizer, progress=progress)
    near, far = depth_range(depths)
    walk = (np.arange(len(named)) // settings.walk).astype(np.int32)
    return ViewSet(name, pictures, depths, walk, named, near, far, gaussians.frame)


def look(
    gaussians: Gaussians,
    cameras: Sequence[Camera],
    *,
    rasterizer: Rasterizer,
    progress: Callable[[float], None] = lambda share: None,
) -> tuple[np.ndarray, np.ndarray]:
    """[V,H,W,3] uint8 pictures and [V,H,W] float16 depths of a scene from ``cameras``."""
    pictures, depths = [], []
    for number, camera in enumerate(cameras):
        drawn = rasterizer.render(gaussians, [camera], depth=True)
        if drawn.depth is None:
            raise ValueError(f"the rasteriser {rasterizer.name} gave no depth")
        pictures.append(to_bytes(drawn.color[0]))
        depths.append(np.where(drawn.alpha[0] >= SEEN, drawn.depth[0], 0).astype(np.float16))
        progress((number + 1) / len(cameras))
    return np.stack(pictures), np.stack(depths)


def depth_range(depths: np.ndarray) -> tuple[float, float]:
    """Near and far of views with ``depths`` [V,H,W], which are 0 where nothing is.

    Raises:
        FeedforwardError: the views show nothing.
    """
    span = span_of_depths(depths[:, ::2, ::2].ravel().astype(np.float64))
    if span is None:
        raise FeedforwardError("the views show nothing")
    return span


def write_view_set(folder: Path, views: ViewSet) -> Path:
    """Writes ``views`` into ``folder``; the file is called after the scene.

    Raises:
        SceneError: the file cannot be written.
    """
    intrinsics = [(camera.fx, camera.fy, camera.cx, camera.cy) for camera in views.cameras]
    arrays = {
        "pictures": views.pictures, "depths": views.depths, "walk": views.walk,
        "camera_from_world": np.stack([camera.camera_from_world for camera in views.cameras]),
        "intrinsics": np.array(intrinsics), "near": np.array(views.near), "far": np.array(views.far),
        "axes": np.array(views.frame.axes), "metres_per_unit": np.array(views.frame.metres_per_unit or 0.0),
    }  # fmt: skip
    return SETS.write(folder, views.scene, arrays)


def read_view_set(path: Path) -> ViewSet:
    """The views of one file, called after it.

    Raises:
        FeedforwardError: it is no such file, or a damaged one.
    """
    found = SETS.read(path)
    try:
        return _checked(path, found)
    except (ValueError, TypeError, SceneError) as error:
        raise FeedforwardError(f"{path}: not a view set ({error})") from error


def _checked(path: Path, found: dict[str, np.ndarray]) -> ViewSet:
    pictures = found["pictures"]
    if pictures.ndim != 4 or len(pictures) == 0 or pictures.dtype != np.uint8:
        raise FeedforwardError(
            f"{path}: pictures {list(pictures.shape)} {pictures.dtype}, expected [V,H,W,3] uint8"
        )
    count, height, width = pictures.shape[:3]
    shapes = {
        "pictures": (count, height, width, 3), "depths": (count, height, width), "walk": (count,),
        "camera_from_world": (count, 4, 4), "intrinsics": (count, 4), "near": (), "far": (),
    }  # fmt: skip
    for name, shape in shapes.items():
        if found[name].shape != shape:
            raise FeedforwardError(f"{path}: {name} {list(found[name].shape)}, expected {list(shape)}")
    near, far = float(found["near"]), float(found["far"])
    if not 0 < near < far < np.inf:
        raise FeedforwardError(f"{path}: near {near:g} and far {far:g}, expected 0 < near < far")
    cameras = tuple(
        Camera(matrix, float(fx), float(fy), float(cx), float(cy), width, height, f"{index:03d}")
        for index, (matrix, (fx, fy, cx, cy)) in enumerate(
            zip(found["camera_from_world"], found["intrinsics"], strict=True)
        )
    )
    frame = Frame(str(found["axes"]), float(found["metres_per_unit"]) or None)
    return ViewSet(path.stem, pictures, found["depths"], found["walk"], cameras, near, far, frame)


def read_view_sets(folder: Path) -> list[ViewSet]:
    """All view sets of ``folder``.

    Raises:
        FeedforwardError: it holds none, or damaged ones.
    """
    return [read_view_set(path) for path in SETS.files(folder)]

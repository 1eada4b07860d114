"""A capture: posed pictures on disk, before they are read."""

from __future__ import annotations

import math
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.views import Views, fit
from exgs.scene import Camera, Frame
from exgs.scene.spread import evenly

FORMATS = ("PNG", "JPEG", "WEBP", "BMP")
DEEP_MODES = ("I", "F", "I;16", "I;16B", "I;16L", "I;16N")
"""How Pillow calls pictures of more than eight bits, which it would clip."""
MAX_PICTURE_PIXELS = 89_000_000
"""Of one picture on disk; from a little more on Pillow sees an attack."""
MAX_BYTES = 4 << 30
"""Of all pictures together, as they are read."""
MAX_NAME_LENGTH, MAX_PART_BYTES = 1024, 240
"""Of a picture's path, and of each folder in it."""
LEAST_MOTION = 1e-3
"""Cameras must stand apart at least by this share of the nearest depth: from one place no depth is seen."""


@dataclass(frozen=True, eq=False)
class Capture:
    """Where posed pictures lie, and what is known of them."""

    cameras: tuple[Camera, ...]
    """[V], each of its picture's size."""
    pictures: tuple[Path, ...]
    """[V]"""
    near: float
    """As in ``Views``."""
    far: float
    """As in ``Views``."""
    frame: Frame
    """As in ``Views``."""
    notes: tuple[str, ...] = ()
    """What had to be supposed."""

    def thinned(self, most: int) -> Capture:
        """At most ``most`` of them, spread evenly over their order."""
        count = len(self.cameras)
        if count <= most:
            return self
        kept, note = evenly(count, most), fewer(most, count)
        cameras, pictures = [self.cameras[index] for index in kept], [self.pictures[index] for index in kept]
        return replace(self, cameras=tuple(cameras), pictures=tuple(pictures), notes=(*self.notes, note))


def fewer(most: int, count: int) -> str:
    """The note that ``most`` of ``count`` views are used."""
    return f"{most} of {count} views are used"


def inside(folder: Path, name: str, where: str) -> Path:
    """The file called ``name`` below ``folder``.

    Raises:
        FeedforwardError: ``name`` leads elsewhere.
    """
    plain = PurePosixPath(name.replace("\\", "/"))
    leads_out = plain.is_absolute() or ".." in plain.parts or ":" in name[:2]
    strange = "\0" in name or any(len(part.encode(errors="replace")) > MAX_PART_BYTES for part in plain.parts)
    if leads_out or strange or not plain.parts or len(name) > MAX_NAME_LENGTH:
        raise FeedforwardError(
            f"{where}: the picture {name[:80]!r} is not named by a path within the folder; copy it there"
        )
    return folder.joinpath(*plain.parts)


def check(capture: Capture, where: str) -> Capture:
    """The same capture, once its pictures are there and its cameras can see depth.

    Raises:
        FeedforwardError: they are not, or cannot.
    """
    count = len(capture.cameras)
    if count < 2:
        raise FeedforwardError(f"{where}: {count} views, at least 2 are needed to see depth")
    missing = [path for path in capture.pictures if not path.is_file()]
    if missing:
        raise FeedforwardError(
            f"{missing[0]}: there is no such picture ({len(missing)} of {count} are missing)"
        )
    with np.errstate(over="ignore"):
        check_motion(np.stack([camera.position for camera in capture.cameras]), capture.near, where)
    if not 0 < capture.near < capture.far < math.inf:
        raise FeedforwardError(
            f"{where}: what is seen is {capture.near:g} to {capture.far:g} away, expected 0 < near < far"
        )
    return capture


def check_motion(centres: np.ndarray, near: float, where: str) -> None:
    """Refuses cameras at ``centres`` [V,3] that all stand at one place.

    Raises:
        FeedforwardError: they do, for depths of ``near`` and more.
    """
    if np.linalg.norm(centres - centres[0], axis=1).max() < LEAST_MOTION * near:
        raise FeedforwardError(f"{where}: all cameras stand at one place, from which no depth is seen")


def check_room(count: int, size: tuple[int, int]) -> None:
    """Refuses ``count`` pictures of ``size`` (width, height) where they take more than ``MAX_BYTES``.

    Raises:
        FeedforwardError: they do.
    """
    each = 3 * math.prod(size)
    if count * each > MAX_BYTES:
        raise FeedforwardError(
            f"{count} pictures of {size[0]} x {size[1]} take more than {MAX_BYTES >> 30} GiB; "
            f"take smaller ones, or at most {MAX_BYTES // each}"
        )


def load(
    capture: Capture, size: tuple[int, int] | None, progress: Callable[[float], None] = lambda share: None
) -> Views:
    """The pictures of a capture, each cut and scaled to ``size`` (width, height) as it is read.

    Without ``size`` all must have one size already, and keep it.

    Raises:
        FeedforwardError: a picture is none, has another size than its camera, or all together are too many.
    """
    width, height = size or _only_size(capture)
    count = len(capture.cameras)
    check_room(count, (width, height))
    pictures = np.empty((count, height, width, 3), np.uint8)
    cameras = []
    for index, (camera, path) in enumerate(zip(capture.cameras, capture.pictures, strict=True)):
        pictures[index], taken = fit(read_picture(path, camera), camera, width, height)
        cameras.append(taken)
        progress((index + 1) / count)
    return Views(pictures, tuple(cameras), capture.near, capture.far, capture.frame, capture.notes)


def read_picture(path: Path, camera: Camera) -> Image.Image:
    """The picture that ``camera`` took, as RGB over black.

    Raises:
        FeedforwardError: it is no picture that is read here, or of another size than the camera's.
    """
    with open_picture(path) as image:
        if image.size != (camera.width, camera.height):
            raise FeedforwardError(
                f"{path}: {image.width} x {image.height} pixels, but its camera takes {camera.width} x "
                f"{camera.height}; use the very pictures that the cameras were found from"
            )
        if image.mode in DEEP_MODES:
            raise FeedforwardError(f"{path}: more than 8 bits a channel; convert it to 8 bits")
        try:
            return _over_black(image)
        except (OSError, ValueError, SyntaxError, EOFError, IndexError, ArithmeticError) as error:
            raise FeedforwardError(f"{path}: a damaged picture ({error})") from error


def picture_size(path: Path) -> tuple[int, int]:
    """Width and height that the file of a picture states.

    Raises:
        FeedforwardError: it is no picture that is read here.
    """
    with open_picture(path) as image:
        return image.size


def open_picture(path: Path) -> Image.Image:
    """The picture at ``path``, of which only the head is read yet.

    Raises:
        FeedforwardError: it is no picture that is read here, or too large.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(path, formats=FORMATS)
    except FileNotFoundError as error:
        raise FeedforwardError(f"{path}: there is no such picture") from error
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise FeedforwardError(f"{path}: more than {MAX_PICTURE_PIXELS:,} pixels; make it smaller") from error
    except (OSError, ValueError, SyntaxError) as error:
        raise FeedforwardError(f"{path}: not a picture ({', '.join(FORMATS)} are read)") from error
    if math.prod(image.size) > MAX_PICTURE_PIXELS:
        image.close()
        raise FeedforwardError(f"{path}: more than {MAX_PICTURE_PIXELS:,} pixels; make it smaller")
    return image


def _over_black(image: Image.Image) -> Image.Image:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        clear = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", clear.size, (0, 0, 0, 255)), clear).convert("RGB")
    return image.convert("RGB")


def shrunk(size: tuple[int, int], pixels: int) -> tuple[int, int]:
    """``size`` (width, height) in the same shape, smaller where it has more than ``pixels`` pixels."""
    scale = math.sqrt(pixels / math.prod(size))
    if scale >= 1:
        return size
    return max(1, int(size[0] * scale)), max(1, int(size[1] * scale))


def usual_size(capture: Capture) -> tuple[int, int]:
    """Width and height that most of the pictures have; of equals, the largest."""
    sizes = Counter((camera.width, camera.height) for camera in capture.cameras)
    return max(sizes, key=lambda size: (sizes[size], math.prod(size), size))


def _only_size(capture: Capture) -> tuple[int, int]:
    sizes = sorted({(camera.width, camera.height) for camera in capture.cameras})
    if len(sizes) > 1:
        raise FeedforwardError(
            f"pictures of {len(sizes)} sizes, from {sizes[0][0]} x {sizes[0][1]} to {sizes[-1][0]} x "
            f"{sizes[-1][1]}: name the size that all are to have"
        )
    return sizes[0]

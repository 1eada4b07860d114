"""What this project renders itself: a folder of pictures with their camera file, or a view set."""

from __future__ import annotations

from pathlib import Path

from exgs.feedforward.capture import Capture, check, check_motion
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.folders import CAMERAS, SUFFIXES
from exgs.feedforward.sets import read_view_set
from exgs.feedforward.span import span_of_cameras, upright_frame
from exgs.feedforward.transforms import read_document, stated_span
from exgs.feedforward.views import Views
from exgs.scene import Frame, SceneError, read_cameras

GUESSED = f"near and far are guessed from the cameras: {CAMERAS} does not say them"


def read_rendered(path: Path) -> Capture:
    """The capture of a camera file in its order; the pictures lie beside it and are called as its cameras.

    The file does not say which way is up: the frame is the one whose up the cameras agree on. Near and far
    are those of the file, or guessed.

    Raises:
        FeedforwardError: it is no camera file, or a picture is missing.
    """
    try:
        cameras = tuple(read_cameras(path))
    except SceneError as error:
        raise FeedforwardError(str(error)) from error
    pictures = tuple(picture_beside(path, camera.name) for camera in cameras)
    stated = stated_span(path, read_document(path))
    near, far = stated or (span_of_cameras(cameras) if len(cameras) > 1 else (1.0, 2.0))
    frame, notes = upright_frame(cameras, Frame()), () if stated else (GUESSED,)
    return check(Capture(cameras, pictures, near, far, frame, notes), str(path))


def picture_beside(path: Path, name: str) -> Path:
    """The picture of the camera called ``name``; the first name that was tried where there is none."""
    stem = path.parent / name
    names = [path.parent / f"{name}{suffix}" for suffix in SUFFIXES]
    if stem.suffix.lower() in SUFFIXES:
        names.insert(0, stem)
    return next((place for place in names if place.is_file()), names[0])


def read_set(path: Path) -> Views:
    """The views of one file of a view set.

    Raises:
        FeedforwardError: it is none, or all its cameras stand at one place.
    """
    found = read_view_set(path)
    if len(found) < 2:
        raise FeedforwardError(f"{path}: 1 view, at least 2 are needed to see depth")
    views = Views(found.pictures, found.cameras, found.near, found.far, found.frame)
    check_motion(views.centres, views.near, str(path))
    return views

"""The door to posed pictures: what lies at a path is found out, read and checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from exgs.feedforward.capture import (
    Capture,
    check,
    check_room,
    fewer,
    load,
    shrunk,
    usual_size,
)
from exgs.feedforward.colmap import read_colmap
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.folders import CAMERAS, TRANSFORMS, find_model
from exgs.feedforward.rendered import read_rendered, read_set
from exgs.feedforward.transforms import read_document, read_transforms
from exgs.feedforward.views import Views
from exgs.scene.spread import evenly

SET_SUFFIX = ".npz"
SUITED_PIXELS = 854 * 480
"""Of a picture, where nobody names a size: what a pass over a hundred views is meant for."""
EXPECTED = (
    f"expected a COLMAP folder (sparse/0 and images), a {TRANSFORMS}, a {CAMERAS} beside its "
    f"pictures, or a view set ({SET_SUFFIX})"
)


def read_views(
    path: str | Path,
    *,
    size: tuple[int, int] | None = None,
    most: int | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Views:
    """The views at ``path``: a folder, or the file in it that lists them.

    ``size`` (width, height) is what pictures are cut and scaled to; without it all must have one size.
    ``most`` takes so many of the views, spread evenly over their order. ``progress`` hears the share read.

    Raises:
        FeedforwardError: what lies there is none, is damaged, or cannot be reconstructed from; the message
            says what was found and what helps.
    """
    return load_views(find_views(path, most=most), size=size, progress=progress)


def find_views(path: str | Path, *, most: int | None = None) -> Capture | Views:
    """What ``load_views`` takes: as ``read_views``, but pictures in files of their own are not opened yet.

    Raises:
        FeedforwardError: as for ``read_views``, as far as it can be known without them.
    """
    path = Path(path)
    if most is not None and most < 2:
        raise FeedforwardError(f"at most {most} views: at least 2 are needed to see depth")
    if path.suffix.lower() != SET_SUFFIX or not path.is_file():
        capture = find_capture(path)
        return check(capture.thinned(most), str(path)) if most else capture
    views = read_set(path)
    if most is None or len(views) <= most:
        return views
    some = views.select(evenly(len(views), most).tolist())
    return replace(some, notes=(*views.notes, fewer(most, len(views))))


def load_views(
    found: Capture | Views,
    *,
    size: tuple[int, int] | None = None,
    pixels: int | None = None,
    progress: Callable[[float], None] = lambda share: None,
) -> Views:
    """The views that ``find_views`` found, in ``size`` (width, height).

    Where only ``pixels`` are named, pictures come in the shape that most of them have, made smaller where
    they have more than so many.

    Raises:
        FeedforwardError: as for ``read_views``.
    """
    if size is None and pixels is not None:
        size = shrunk(found.size if isinstance(found, Views) else usual_size(found), pixels)
    if isinstance(found, Capture):
        return load(found, size, progress)
    progress(1.0)
    if size is None:
        return found
    check_room(len(found), size)
    return found.resized(*size)


def find_capture(path: Path) -> Capture:
    """The capture that lies at ``path``, its pictures not read yet.

    Raises:
        FeedforwardError: there is none, or it is unsound.
    """
    if not path.exists():
        raise FeedforwardError(f"{path}: no such file or folder")
    if path.is_file():
        return _listed(path)
    if (path / TRANSFORMS).is_file():
        return read_transforms(path / TRANSFORMS)
    if find_model(path) is not None:
        return read_colmap(path)
    if (path / CAMERAS).is_file():
        return read_rendered(path / CAMERAS)
    raise FeedforwardError(f"{path}: no views here; {EXPECTED}")


def _listed(path: Path) -> Capture:
    """The capture of a JSON file of whichever kind."""
    if path.suffix.lower() != ".json":
        raise FeedforwardError(f"{path}: no views; {EXPECTED}")
    document = read_document(path)
    if "frames" in document:
        return read_transforms(path)
    if "cameras" in document:
        return read_rendered(path)
    raise FeedforwardError(f'{path}: neither "frames" nor "cameras" in it; {EXPECTED}')

"""The door to posed pictures: what lies at a path is found out, read and checked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from exgs.feedforward import rendered, transforms
from exgs.feedforward.capture import SUFFIXES, Capture, load
from exgs.feedforward.colmap import find_model, read_colmap
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.rendered import read_rendered, read_set
from exgs.feedforward.transforms import read_document, read_transforms
from exgs.feedforward.views import Views

SET_SUFFIX = ".npz"
EXPECTED = (
    f"expected a COLMAP folder (sparse/0 and images), a {transforms.NAME}, a {rendered.NAME} beside its "
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
    path = Path(path)
    if most is not None and most < 2:
        raise FeedforwardError(f"at most {most} views: at least 2 are needed to see depth")
    if path.suffix.lower() == SET_SUFFIX and path.is_file():
        views = read_set(path)
        if most is not None and len(views) > most:
            views = views.select([round(k * (len(views) - 1) / (most - 1)) for k in range(most)])
        progress(1.0)
        return views.resized(*size) if size else views
    capture = find_capture(path)
    return load(capture.thinned(most) if most else capture, size, progress)


def find_capture(path: Path) -> Capture:
    """The capture that lies at ``path``, its pictures not read yet.

    Raises:
        FeedforwardError: there is none, or it is unsound.
    """
    if not path.exists():
        raise FeedforwardError(f"{path}: no such file or folder")
    if path.is_file():
        return _listed(path)
    if (path / transforms.NAME).is_file():
        return read_transforms(path / transforms.NAME)
    if find_model(path) is not None:
        return read_colmap(path)
    if (path / rendered.NAME).is_file():
        return read_rendered(path / rendered.NAME)
    raise FeedforwardError(f"{path}: no views here; {EXPECTED}")


def holds_views(folder: Path) -> bool:
    """Whether ``folder`` looks like views, told from the names in it alone.

    A model's own folder without ``sparse`` does not count, nor a camera file without a picture beside it.
    """
    if (folder / transforms.NAME).is_file():
        return True
    if (folder / "sparse").is_dir() and find_model(folder) is not None:
        return True
    return (folder / rendered.NAME).is_file() and any(
        entry.suffix.lower() in SUFFIXES for entry in folder.iterdir()
    )


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

"""Places of points in PLY files: all that is wanted of them here is how far away they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from exgs.feedforward.errors import FeedforwardError
from exgs.scene import SceneError
from exgs.scene.formats.ply_header import Element, check_extent, parse_header, read_records

MAX_FILE_BYTES = 4 << 30
MAX_POINTS = 50_000_000


def read_points(path: Path) -> np.ndarray:
    """[P,3] float64 of the vertices of a PLY file.

    Raises:
        FeedforwardError: it cannot be read, or holds no points.
    """
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise FeedforwardError(f"{path}: larger than {MAX_FILE_BYTES} bytes")
        return _read(path, size)
    except SceneError as error:
        raise FeedforwardError(str(error)) from error
    except OSError as error:
        raise FeedforwardError(f"{path}: {error.strerror or error}") from error


def _read(path: Path, size: int) -> np.ndarray:
    with path.open("rb") as file:
        header = parse_header(path, file)
        vertices = header.elements[0] if header.elements else None
        names = vertices.dtype.names or () if vertices is not None and vertices.dtype is not None else ()
        if vertices is None or vertices.name != "vertex" or not {"x", "y", "z"} <= set(names):
            raise FeedforwardError(f"{path}: PLY file without vertices that have x, y and z")
        if vertices.count > MAX_POINTS:
            raise FeedforwardError(f"{path}: {vertices.count} points, at most {MAX_POINTS} are read")
        if header.encoding == "ascii":
            file.seek(header.size_bytes)
            if 2 * vertices.count * len(names) > size - header.size_bytes + 1:
                raise FeedforwardError(f"{path}: {vertices.count} points cannot come from {size} bytes")
            return _text_points(path, file.read(), vertices)
        check_extent(path, vertices, size_bytes=size)
        records = read_records(file, vertices, slice(0, vertices.count), where=str(path))
    return np.stack([records[axis].astype(np.float64) for axis in "xyz"], axis=1)


def _text_points(path: Path, text: bytes, vertices: Element) -> np.ndarray:
    assert vertices.dtype is not None
    names = vertices.dtype.names or ()
    lines = text.decode("ascii", errors="replace").split("\n", vertices.count)[: vertices.count]
    if not lines or not any(line.strip() for line in lines):
        raise FeedforwardError(f"{path}: PLY element vertex: no points")
    try:
        values = np.loadtxt(lines, np.float64, comments=None, ndmin=2)
    except ValueError as error:
        raise FeedforwardError(f"{path}: PLY element vertex: {str(error)[:100]}") from error
    if values.shape != (vertices.count, len(names)):
        raise FeedforwardError(
            f"{path}: PLY element vertex: {values.shape[0]} lines of {values.shape[1]} numbers, "
            f"expected {vertices.count} of {len(names)}"
        )
    return values[:, [names.index(axis) for axis in "xyz"]]

"""COLMAP models as ``.bin`` files: little-endian records behind a count.

Every count is compared with the bytes that are there before anything is made of it.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

from exgs.feedforward.colmap_model import (
    MAX_IMAGES,
    MAX_NAME_BYTES,
    MODELS,
    Lens,
    Model,
    PosedImage,
    read_whole,
)
from exgs.feedforward.errors import FeedforwardError

_COUNT = struct.Struct("<Q")
_LENS = struct.Struct("<iiQQ")
_POSE = struct.Struct("<I7dI")
_POINT = struct.Struct("<Qddd3BdQ")
_FOUND = np.dtype([("x", "<f8"), ("y", "<f8"), ("point", "<i8")])
_TRACK_BYTES = 8
_MODEL_NAMES = {number: name for name, (number, _) in MODELS.items()}


def read_binary_model(folder: Path) -> Model:
    """The model in ``cameras.bin``, ``images.bin`` and, where it is there, ``points3D.bin``.

    Raises:
        FeedforwardError: a file is missing, cut short, or holds what no model does.
    """
    lenses = parse_lenses(read_whole(folder / "cameras.bin"), str(folder / "cameras.bin"))
    images = parse_images(read_whole(folder / "images.bin"), str(folder / "images.bin"))
    path = folder / "points3D.bin"
    ids, points = parse_points(read_whole(path), str(path)) if path.exists() else parse_points(bytes(8), "")
    return Model(lenses, images, ids, points)


class _Bytes:
    """Bytes that are taken from the front; ``where`` names them in errors."""

    def __init__(self, data: bytes, where: str) -> None:
        self.data, self.where, self.at = data, where, 0

    def claim(self, size_bytes: int, what: str) -> int:
        """Where the next ``size_bytes`` begin, which are there."""
        start = self.at
        if size_bytes > len(self.data) - start:
            raise FeedforwardError(
                f"{self.where}: ends at byte {len(self.data)}, "
                f"but {what} takes {size_bytes} from byte {start}"
            )
        self.at = start + size_bytes
        return start

    def count(self, record_bytes: int, what: str) -> int:
        """The number at the front, of records of at least ``record_bytes`` that the rest has room for."""
        (number,) = _COUNT.unpack_from(self.data, self.claim(_COUNT.size, f"the number of {what}"))
        left = len(self.data) - self.at
        if number * record_bytes > left:
            raise FeedforwardError(f"{self.where}: {number} {what} cannot come from {left} bytes")
        return int(number)

    def end(self) -> None:
        """Refuses what follows the last record."""
        if self.at != len(self.data):
            raise FeedforwardError(f"{self.where}: {len(self.data) - self.at} bytes follow the last record")


def parse_lenses(data: bytes, where: str) -> dict[int, Lens]:
    """The lenses of a cameras file, by id.

    Raises:
        FeedforwardError: it is none.
    """
    source, lenses = _Bytes(data, where), {}
    for _ in range(source.count(_LENS.size, "cameras")):
        number, code, width, height = _LENS.unpack_from(data, source.claim(_LENS.size, "a camera"))
        if code not in _MODEL_NAMES:
            raise FeedforwardError(f"{where}: camera {number} is of the unknown model {code}")
        name = _MODEL_NAMES[code]
        record = struct.Struct(f"<{len(MODELS[name][1].split())}d")
        values = record.unpack_from(data, source.claim(record.size, f"camera {number}"))
        lenses[number] = Lens(name, width, height, values)
    source.end()
    return lenses


def parse_images(data: bytes, where: str) -> tuple[PosedImage, ...]:
    """The posed images of an images file.

    Raises:
        FeedforwardError: it is none, or holds more than ``MAX_IMAGES``.
    """
    source, images = _Bytes(data, where), []
    count = source.count(_POSE.size + 1 + _COUNT.size, "images")
    if count > MAX_IMAGES:
        raise FeedforwardError(f"{where}: {count} images, at most {MAX_IMAGES} are read")
    for _ in range(count):
        values = _POSE.unpack_from(data, source.claim(_POSE.size, "an image"))
        name = _name(source)
        found = source.count(_FOUND.itemsize, f"points of {name[:60]!r}")
        start = source.claim(found * _FOUND.itemsize, f"the points of {name[:60]!r}")
        ids = np.frombuffer(data, _FOUND, found, start)["point"]
        images.append(PosedImage(name, values[8], values[1:5], values[5:8], ids[ids >= 0]))
    source.end()
    return tuple(images)


def parse_points(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids [P] and places [P,3] of a points file.

    Raises:
        FeedforwardError: it is none.
    """
    source = _Bytes(data, where)
    count = source.count(_POINT.size, "points")
    ids, points = np.empty(count, np.int64), np.empty((count, 3))
    for index in range(count):
        number, x, y, z, *_, track = _POINT.unpack_from(data, source.claim(_POINT.size, "a point"))
        source.claim(track * _TRACK_BYTES, f"the track of point {number}")
        ids[index], points[index] = number & 0x7FFFFFFFFFFFFFFF, (x, y, z)
    source.end()
    return ids, points


def _name(source: _Bytes) -> str:
    """A name that ends with a zero byte."""
    end = source.data.find(b"\0", source.at, source.at + MAX_NAME_BYTES + 1)
    if end < 0:
        raise FeedforwardError(f"{source.where}: the name at byte {source.at} does not end")
    start = source.claim(end + 1 - source.at, "a name")
    try:
        return source.data[start:end].decode()
    except UnicodeDecodeError as error:
        raise FeedforwardError(f"{source.where}: the name at byte {start} is not UTF-8") from error

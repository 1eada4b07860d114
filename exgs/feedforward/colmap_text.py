"""COLMAP models as ``.txt`` files: a record a line, ``#`` before remarks."""

from __future__ import annotations

import io
from collections.abc import Iterator
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

MAX_COUNT_DIGITS = 18


def read_text_model(folder: Path) -> Model:
    """The model in ``cameras.txt``, ``images.txt`` and, where it is there, ``points3D.txt``.

    Raises:
        FeedforwardError: a file is missing or holds what no model does.
    """
    lenses = parse_lenses(read_whole(folder / "cameras.txt"), str(folder / "cameras.txt"))
    images = parse_images(read_whole(folder / "images.txt"), str(folder / "images.txt"))
    path = folder / "points3D.txt"
    ids, points = parse_points(read_whole(path), str(path)) if path.exists() else parse_points(b"", "")
    return Model(lenses, images, ids, points)


def parse_lenses(data: bytes, where: str) -> dict[int, Lens]:
    """The lenses of a cameras file, by id.

    Raises:
        FeedforwardError: it is none.
    """
    lenses = {}
    for number, line in _records(data, where):
        place, words = f"{where}, line {number}", line.split()
        if len(words) < 4:
            raise FeedforwardError(f"{place}: {len(words)} words, expected an id, a model, a size and more")
        if words[1] not in MODELS:
            raise FeedforwardError(f"{place}: unknown camera model {words[1][:40]!r}")
        wanted = len(MODELS[words[1]][1].split())
        if len(words) != 4 + wanted:
            raise FeedforwardError(
                f"{place}: {len(words) - 4} parameters, {words[1]} has {wanted}: {MODELS[words[1]][1]}"
            )
        width, height = (_whole(word, place) for word in words[2:4])
        lenses[_whole(words[0], place)] = Lens(words[1], width, height, _numbers(words[4:], place))
    return lenses


def parse_images(data: bytes, where: str) -> tuple[PosedImage, ...]:
    """The posed images of an images file: two lines each, the second of what was found in it.

    Raises:
        FeedforwardError: it is none, or holds more than ``MAX_IMAGES``.
    """
    images: list[PosedImage] = []
    lines = _lines(data, where)
    for number, line in lines:
        if _is_remark(line):
            continue
        place, words = f"{where}, line {number}", line.strip().split(maxsplit=9)
        if len(words) != 10 or len(words[9].encode()) > MAX_NAME_BYTES:
            raise FeedforwardError(f"{place}: expected an id, a pose of seven numbers, a camera and a name")
        if len(images) == MAX_IMAGES:
            raise FeedforwardError(f"{where}: more than {MAX_IMAGES} images")
        pose = _numbers(words[1:8], place)
        found = next(lines, (0, ""))[1].split()
        if len(found) % 3:
            raise FeedforwardError(f"{place}: the line after it holds {len(found)} words, no points of three")
        seen = np.array([_identity(word, place) for word in found[2::3]], np.int64)
        images.append(PosedImage(words[9], _whole(words[8], place), pose[:4], pose[4:], seen[seen >= 0]))
    return tuple(images)


def parse_points(data: bytes, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids [P] and places [P,3] of a points file.

    Raises:
        FeedforwardError: it is none.
    """
    ids, points = [], []
    for number, line in _records(data, where):
        place, words = f"{where}, line {number}", line.split(maxsplit=8)
        if len(words) < 8:
            raise FeedforwardError(
                f"{place}: {len(words)} words, expected an id, a place, a colour, an error"
            )
        ids.append(_whole(words[0], place))
        points.append(_numbers(words[1:4], place))
    return np.array(ids, np.int64), np.array(points, np.float64).reshape(-1, 3)


def _lines(data: bytes, where: str) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(io.BytesIO(data), start=1):
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            raise FeedforwardError(f"{where}, line {number}: not UTF-8") from error


def _records(data: bytes, where: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in _lines(data, where) if not _is_remark(line))


def _is_remark(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _whole(word: str, place: str) -> int:
    if not (word.isascii() and word.isdecimal()) or len(word) > MAX_COUNT_DIGITS:
        raise FeedforwardError(f"{place}: {word[:40]!r} is no whole number")
    return int(word)


def _identity(word: str, place: str) -> int:
    """The id of a point; -1 for none."""
    return -1 if word == "-1" else _whole(word, place)


def _numbers(words: list[str], place: str) -> tuple[float, ...]:
    try:
        return tuple(float(word) for word in words)
    except ValueError as error:
        raise FeedforwardError(f"{place}: {str(error)[:80]}") from error

"""COLMAP models as ``.txt`` files: a record a line, ``#`` before remarks.

Files are gone through line by line, and long lines piece by piece: what is held of them are numbers, eight
bytes for the id of a found point and 32 for a point with its place, whatever else their lines may say.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np

from exgs.feedforward.colmap_model import (
    MAX_FILE_BYTES,
    MAX_IMAGES,
    MAX_NAME_BYTES,
    MODELS,
    Lens,
    Model,
    PosedImage,
)
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.point_cloud import MAX_POINTS

MAX_COUNT_DIGITS = 18
MAX_LINE_BYTES = 32 << 20
"""Of one line; that of an image with 100,000 points has about 4 MB."""
PIECE_BYTES = 1 << 16
"""Of a long line, which are split into words at a time."""

MOST_WORDS = 4 + max(len(names.split()) for _, names in MODELS.values())
"""Of a camera's line."""

Parsed = TypeVar("Parsed")
_GAP = re.compile(r"\s")


def read_text_model(folder: Path) -> Model:
    """The model in ``cameras.txt``, ``images.txt`` and, where it is there, ``points3D.txt``.

    Raises:
        FeedforwardError: a file is missing or holds what no model does.
    """
    lenses = _parsed(folder / "cameras.txt", parse_lenses)
    images = _parsed(folder / "images.txt", parse_images)
    path = folder / "points3D.txt"
    ids, points = _parsed(path, parse_points) if path.exists() else (_ids(array("q")), np.zeros((0, 3)))
    return Model(lenses, images, ids, points)


def _parsed(path: Path, parse: Callable[[BinaryIO, str], Parsed]) -> Parsed:
    """What ``parse`` makes of one file of a model."""
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FeedforwardError(f"{path}: larger than {MAX_FILE_BYTES} bytes, not a COLMAP model")
        with path.open("rb") as file:
            return parse(file, str(path))
    except OSError as error:
        raise FeedforwardError(f"{path}: {error.strerror or error}") from error


def parse_lenses(file: BinaryIO, where: str) -> dict[int, Lens]:
    """The lenses of a cameras file, by id.

    Raises:
        FeedforwardError: it is none.
    """
    lenses: dict[int, Lens] = {}
    for number, line in _records(file, where):
        place, words = f"{where}, line {number}", line.split(maxsplit=MOST_WORDS)
        if len(lenses) == MAX_IMAGES:
            raise FeedforwardError(f"{where}: more than {MAX_IMAGES} cameras")
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


def parse_images(file: BinaryIO, where: str) -> tuple[PosedImage, ...]:
    """The posed images of an images file: two lines each, the second of what was found in it.

    Raises:
        FeedforwardError: it is none, or holds more than ``MAX_IMAGES``.
    """
    images: list[PosedImage] = []
    lines = _lines(file, where)
    for number, line in lines:
        if _is_remark(line):
            continue
        place, words = f"{where}, line {number}", line.strip().split(maxsplit=9)
        if len(words) != 10 or len(words[9].encode()) > MAX_NAME_BYTES:
            raise FeedforwardError(f"{place}: expected an id, a pose of seven numbers, a camera and a name")
        if len(images) == MAX_IMAGES:
            raise FeedforwardError(f"{where}: more than {MAX_IMAGES} images")
        pose = _numbers(words[1:8], place)
        seen = _found(next(lines, (0, ""))[1], place)
        images.append(PosedImage(words[9], _whole(words[8], place), pose[:4], pose[4:], seen))
    return tuple(images)


def _found(line: str, place: str) -> np.ndarray:
    """[n] int64 ids of the points that the line after an image's own names."""
    ids, count = array("q"), 0
    for words in _pieces(line):
        named = (_identity(word, place) for word in words[(2 - count) % 3 :: 3])
        ids.extend(number for number in named if number >= 0)
        count += len(words)
    if count % 3:
        raise FeedforwardError(f"{place}: the line after it holds {count} words, no points of three")
    return _ids(ids)


def _pieces(line: str) -> Iterator[list[str]]:
    """The words of a line, not too many at a time."""
    begin = 0
    while begin < len(line):
        gap = _GAP.search(line, begin + PIECE_BYTES)
        end = gap.start() if gap else len(line)
        yield line[begin:end].split()
        begin = end


def parse_points(file: BinaryIO, where: str) -> tuple[np.ndarray, np.ndarray]:
    """Ids [P] and places [P,3] of a points file.

    Raises:
        FeedforwardError: it is none.
    """
    ids, points = array("q"), array("d")
    for number, line in _records(file, where):
        place, words = f"{where}, line {number}", line.split(maxsplit=8)
        if len(words) < 8:
            raise FeedforwardError(
                f"{place}: {len(words)} words, expected an id, a place, a colour, an error"
            )
        if len(ids) == MAX_POINTS:
            raise FeedforwardError(f"{where}: more than {MAX_POINTS} points")
        ids.append(_whole(words[0], place))
        points.extend(_numbers(words[1:4], place))
    return _ids(ids), np.frombuffer(points, np.float64).reshape(-1, 3)


def _lines(file: BinaryIO, where: str) -> Iterator[tuple[int, str]]:
    number = 0
    while line := file.readline(MAX_LINE_BYTES + 1):
        number += 1
        if len(line) > MAX_LINE_BYTES:
            raise FeedforwardError(f"{where}, line {number}: more than {MAX_LINE_BYTES} bytes")
        try:
            yield number, line.decode()
        except UnicodeDecodeError as error:
            raise FeedforwardError(f"{where}, line {number}: not UTF-8") from error


def _ids(numbers: array[int]) -> np.ndarray:
    """[n] int64."""
    return np.frombuffer(numbers, np.int64)


def _records(file: BinaryIO, where: str) -> Iterator[tuple[int, str]]:
    return ((number, line) for number, line in _lines(file, where) if not _is_remark(line))


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

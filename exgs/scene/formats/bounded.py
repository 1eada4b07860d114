"""Files from outside, no larger than expected; what is wrong is an error of the reader's own type."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any


def read_bytes(path: Path, most: int, error: type[Exception]) -> bytes:
    """The bytes of a file that is no larger than ``most``.

    Raises:
        error: it cannot be read, or is larger.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise error(f"{path}: not a regular file")
        if status.st_size > most:
            raise error(f"{path}: {status.st_size:,} bytes, expected {most:,} at most")
        return path.read_bytes()
    except OSError as failure:
        raise error(f"{path}: {failure.strerror or failure}") from failure


def read_object(path: Path, most: int, error: type[Exception]) -> dict[str, Any]:
    """The object in a JSON file that is no larger than ``most`` bytes.

    Raises:
        error: it cannot be read, is larger, or holds something else.
    """
    return parse_object(read_bytes(path, most, error), str(path), error)


def parse_object(data: bytes, where: str, error: type[Exception]) -> dict[str, Any]:
    """The JSON object in ``data``, whose size the caller has limited; ``where`` names it in errors.

    Raises:
        error: it holds something else.
    """
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as failure:
        raise error(f"{where}: not a JSON document ({str(failure)[:100]})") from failure
    if not isinstance(document, dict):
        raise error(f"{where}: expected a JSON object")
    return document

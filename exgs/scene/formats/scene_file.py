"""A scene file whose header is read and checked, and the limits that every format keeps."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_COEFFICIENTS, Gaussians

MAX_GAUSSIANS = 1 << 26
"""Gaussians that a reader accepts unless told otherwise."""
MAX_GAUSSIANS_PER_BYTE = 4
"""A compressed file that claims more per byte is taken for a bomb; real ones hold 0.05 to 0.2."""
SMALL_COUNT = 1 << 16
"""Below this many Gaussians a file may be as small as it likes."""
BLOCK = 1 << 16
"""Gaussians that are converted at a time."""


@dataclass(frozen=True)
class SceneFile:
    """A scene file whose header is read and checked; its Gaussians are not in memory yet."""

    format: str
    """What the format is called, such as ``INRIA PLY``."""
    version: str
    """Version or variant of the format; empty where it has none."""
    count: int
    """Gaussians in the file, or in the chosen level."""
    sh_degree: int
    """Degree of the spherical harmonics, 0 to 3."""
    frame: Frame
    """Where the axes point."""
    size_bytes: int
    """Bytes on disk that hold these Gaussians and what describes them."""
    read: Callable[[], Gaussians]
    """Reads the Gaussians; raises SceneError, or OSError where the machine is at fault."""
    level_counts: tuple[int, ...] = ()
    """Gaussians in each level of detail, finest first; empty where the format has no levels."""


def file_size(path: Path) -> int:
    """Size in bytes of the regular file at ``path``.

    Raises:
        SceneError: it is no regular file, or empty.
        OSError: it cannot be looked at.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise SceneError(f"{path}: a folder, expected a file")
    if not stat.S_ISREG(status.st_mode):
        raise SceneError(f"{path}: not a regular file")
    if status.st_size == 0:
        raise SceneError(f"{path}: the file is empty")
    return status.st_size


def check_count(where: str, count: int, *, most: int) -> None:
    """Refuses a number of Gaussians that is negative or beyond ``most``."""
    if not 0 <= count <= most:
        raise SceneError(f"{where}: {count} Gaussians, expected 0 to {most}")


def check_expansion(where: str, count: int, *, size_bytes: int) -> None:
    """Refuses a compressed file that claims far more Gaussians than its bytes can hold."""
    if count > max(SMALL_COUNT, size_bytes * MAX_GAUSSIANS_PER_BYTE):
        raise SceneError(f"{where}: {count} Gaussians cannot come from {size_bytes} bytes")


def read_exactly(file: BinaryIO, size: int, *, where: str) -> bytes:
    """The next ``size`` bytes of ``file``, which the caller has limited; SceneError where it ends before."""
    data = file.read(size)
    if len(data) != size:
        raise SceneError(f"{where}: the file ends after {len(data)} of {size} bytes")
    return data


def blocks(count: int) -> Iterator[slice]:
    """Slices of at most ``BLOCK`` that cover ``range(count)``."""
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))


def harmonics_array(count: int, degree: int) -> np.ndarray:
    """[count,K,3] float32, to be filled, with the K of ``degree``."""
    return np.empty((count, SH_COEFFICIENTS[degree], 3), np.float32)


def logits(opacities: np.ndarray) -> np.ndarray:
    """float32 logits of opacities in [0, 1]; 0 and 1 are moved inwards by a millionth to stay finite."""
    inside = np.clip(opacities.astype(np.float64), 1e-6, 1.0 - 1e-6)
    return np.log(inside / (1.0 - inside)).astype(np.float32)

"""Files of head traces: EyeNavGS recordings, and a plain table of our own.

Our own: CSV with the header ``time_s,x,y,z,qw,qx,qy,qz``, one pose a row, metres, OpenXR axes, times in
seconds that increase.

EyeNavGS (arXiv 2506.02380): CSV, one row per eye and moment, left (ViewIndex 0) before right. What looking at
the numbers of eight recordings showed: quaternions are xyzw and take OpenXR axes of the head (the right eye
lies at its +x, walking goes to its -z) to the world of the scene; positions are metres times the Scale in
``scene_setting.csv`` (each person's eyes are then equally far apart in all scenes); the Quaternion there,
applied from the left, makes the world level with y up; the FOV columns are left, right, down, up.
Where that file is not beside the trace, the scale follows from the distance between the eyes, and up is the
direction about which the heads' right sides are most nearly level.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import scipy  # its parts are loaded when they are first used

from exgs.scene.errors import SceneError
from exgs.scene.formats.atomic import write_bytes
from exgs.scene.head_trace import DEFAULT_IPD_M, HeadTrace

MAX_TRACE_BYTES = 256 << 20
MAX_TRACE_ROWS = 1 << 20
OWN_COLUMNS = ("time_s", "x", "y", "z", "qw", "qx", "qy", "qz")
EYENAVGS_COLUMNS = (
    "ViewIndex", "PositionX", "PositionY", "PositionZ",
    "QuaternionX", "QuaternionY", "QuaternionZ", "QuaternionW", "Timestamp",
)  # fmt: skip
SETTINGS_NAME = "scene_setting.csv"
_LIMIT = 1e7


def read_head_trace(path: str | Path) -> HeadTrace:
    """The head trace in a file of either kind.

    Raises:
        SceneError: the file cannot be read, is of neither kind, or a row is unsound (the message names it).
    """
    path = Path(path)
    rows = _rows(path)
    _, header = next(rows, (1, []))
    if header == list(OWN_COLUMNS):
        return _own(path, _table(path, rows, header, OWN_COLUMNS))
    if set(EYENAVGS_COLUMNS) <= set(header):
        return _eyenavgs(path, _table(path, rows, header, EYENAVGS_COLUMNS))
    expected = ",".join(OWN_COLUMNS)
    raise SceneError(
        f"{path}: line 1: expected the columns {expected} or those of EyeNavGS, found {str(header)[:120]}"
    )


def write_head_trace(path: str | Path, trace: HeadTrace) -> None:
    """Writes ``trace`` as a table that ``read_head_trace`` reads; the distance between the eyes is lost.

    Raises:
        SceneError: the file cannot be written.
    """
    table = np.column_stack([trace.times_s, trace.positions, trace.quats])
    lines = [",".join(OWN_COLUMNS), *(",".join(f"{number:.9g}" for number in row) for row in table)]
    write_bytes(Path(path), ("\n".join(lines) + "\n").encode())


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers and fields of a CSV file, blank lines left out."""
    try:
        if path.stat().st_size > MAX_TRACE_BYTES:
            raise SceneError(f"{path}: larger than {MAX_TRACE_BYTES} bytes, not a head trace")
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    yield reader.line_num, [field.strip() for field in row]
    except OSError as error:
        raise SceneError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise SceneError(f"{path}: not a CSV file ({error})") from error


def _table(
    path: Path, rows: Iterator[tuple[int, list[str]]], header: list[str], columns: tuple[str, ...]
) -> np.ndarray:
    """[n, 1 + columns] line numbers and the values of ``columns``."""
    places = [header.index(column) for column in columns]
    table: list[tuple[float, ...]] = []
    for line, row in rows:
        if len(row) != len(header):
            raise SceneError(f"{path}: line {line}: expected {len(header)} fields, found {len(row)}")
        if len(table) == MAX_TRACE_ROWS:
            raise SceneError(f"{path}: more than {MAX_TRACE_ROWS} rows")
        try:
            values = [float(row[place]) for place in places]
        except ValueError as error:
            raise SceneError(f"{path}: line {line}: {error}") from error
        if not all(-_LIMIT < value < _LIMIT for value in values):
            raise SceneError(f"{path}: line {line}: a number is not finite or beyond {_LIMIT:g}")
        table.append((line, *values))
    if not table:
        raise SceneError(f"{path}: no poses")
    return np.array(table, np.float64)


def _own(path: Path, table: np.ndarray) -> HeadTrace:
    quats = _unit(path, table[:, 0], table[:, 5:9])
    _check_times(path, table[:, 0], table[:, 1])
    return HeadTrace(table[:, 1] - table[0, 1], table[:, 2:5], quats)


def _eyenavgs(path: Path, table: np.ndarray) -> HeadTrace:
    quats = _unit(path, table[:, 0], table[:, [8, 5, 6, 7]])
    if len(table) % 2:
        table, quats = table[:-1], quats[:-1]
    left, right = table[0::2], table[1::2]
    odd = np.flatnonzero(table[:, 1] != np.arange(len(table)) % 2)
    if len(odd) or len(table) == 0:
        line = int(table[odd[0], 0]) if len(odd) else 2
        raise SceneError(f"{path}: line {line}: expected rows of the left (0) and right (1) eye in turn")
    times_s = left[:, -1] / 1000.0
    _check_times(path, left[:, 0], times_s)
    apart = float(np.median(np.linalg.norm(right[:, 2:5] - left[:, 2:5], axis=1)))
    heads = scipy.spatial.transform.Rotation.from_quat(quats[0::2], scalar_first=True)
    level, scale = _alignment(path) or (_leveller(heads), apart / DEFAULT_IPD_M)
    if not (apart > 0 and 0.02 < apart / scale < 0.2):
        raise SceneError(
            f"{path}: the eyes are {apart / scale if scale else 0:.3g} m apart, expected 0.02 to 0.2"
        )
    positions = level.apply((left[:, 2:5] + right[:, 2:5]) / 2) / scale
    return HeadTrace(
        times_s - times_s[0], positions, (level * heads).as_quat(scalar_first=True), apart / scale
    )


def _alignment(path: Path) -> tuple[scipy.spatial.transform.Rotation, float] | None:
    """What levels the world of a recording, and its units per metre, from the settings beside it."""
    settings = path.with_name(SETTINGS_NAME)
    if not settings.is_file():
        return None
    for line, row in _rows(settings):
        if len(row) >= 3 and row[0] == path.stem.rpartition("_")[2]:
            try:
                quat, scale = np.array(row[1].split(","), np.float64), float(row[2])
            except ValueError as error:
                raise SceneError(f"{settings}: line {line}: {error}") from error
            if quat.shape != (4,) or not 0.1 < np.linalg.norm(quat) < 10 or not 1e-6 < scale < 1e6:
                raise SceneError(f"{settings}: line {line}: expected a quaternion and a positive scale")
            return scipy.spatial.transform.Rotation.from_quat(quat), scale
    return None


def _leveller(heads: scipy.spatial.transform.Rotation) -> scipy.spatial.transform.Rotation:
    """The shortest turn that brings the heads' common up to +y."""
    turns = heads.as_matrix()
    rights = turns[:, :, 0]
    _, axes = np.linalg.eigh(rights.T @ rights)
    up = axes[:, 0] * (np.sign(axes[:, 0] @ turns[:, :, 1].sum(axis=0)) or 1.0)
    axis = np.cross(up, (0.0, 1.0, 0.0))
    length = np.linalg.norm(axis)
    angle = np.arctan2(length, up[1])
    return scipy.spatial.transform.Rotation.from_rotvec(
        axis / length * angle if length > 1e-9 else np.zeros(3)
    )


def _unit(path: Path, lines: np.ndarray, quats: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(quats, axis=1)
    wrong = np.flatnonzero((lengths < 0.5) | (lengths > 2.0))
    if len(wrong):
        raise SceneError(
            f"{path}: line {int(lines[wrong[0]])}: a rotation of length {lengths[wrong[0]]:.3g}, expected 1"
        )
    return np.asarray(quats / lengths[:, None])


def _check_times(path: Path, lines: np.ndarray, times_s: np.ndarray) -> None:
    wrong = np.flatnonzero(np.diff(times_s) <= 0)
    if len(wrong):
        raise SceneError(f"{path}: line {int(lines[wrong[0] + 1])}: time does not increase")

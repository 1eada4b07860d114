"""INRIA PLY: one record of raw values per Gaussian.

Properties may come in any order, of any scalar type, among others that are ignored. Axes are RDF.
Source: Kerbl et al. 2023, the scene format of the published code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from pathlib import Path
from typing import BinaryIO

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.atomic import replacing
from exgs.scene.formats.ply_header import Element, Header, check_extent, read_records
from exgs.scene.formats.scene_file import SceneFile, blocks, check_count, file_size, harmonics_array, logits
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_COEFFICIENTS, Gaussians
from exgs.scene.transform import to_frame

FRAME = Frame("RDF")
MAX_LINE_BYTES = 1 << 16

_MEANS = ("x", "y", "z")
_NORMALS = ("nx", "ny", "nz")
_SH0 = ("f_dc_0", "f_dc_1", "f_dc_2")
_OPACITY = ("opacity",)
_SCALES = ("scale_0", "scale_1", "scale_2")
_QUATS = ("rot_0", "rot_1", "rot_2", "rot_3")


def open_ply(path: Path, header: Header, *, max_gaussians: int) -> SceneFile:
    """Checks that ``path`` holds Gaussians as the INRIA code writes them, all of them."""
    size = file_size(path)
    vertices = header.find("vertex")
    if vertices is None or vertices.dtype is None:
        raise SceneError(f"{path}: PLY header: no element vertex of plain numbers")
    check_count(f"{path}: PLY element vertex", vertices.count, most=max_gaussians)
    degree = _check_properties(path, vertices.dtype.names or ())
    if header.encoding == "ascii":
        lines = sum(element.count for element in header.elements[: header.elements.index(vertices)])
        if header.size_bytes + 2 * (lines + vertices.count * len(vertices.dtype.names or ())) > size + 1:
            raise SceneError(f"{path}: {vertices.count} vertices cannot come from {size} bytes of text")
        rows = partial(_text_rows, path, header, vertices, lines)
    else:
        check_extent(path, vertices, size_bytes=size)
        rows = partial(_binary_rows, path, vertices)
    read = partial(_read, path, rows, vertices.count, degree)
    return SceneFile("INRIA PLY", header.encoding, vertices.count, degree, FRAME, size, read)


def _check_properties(path: Path, names: tuple[str, ...]) -> int:
    """The SH degree, once everything that a Gaussian needs is known to be there."""
    if "scale_1" in names and "scale_2" not in names:
        raise SceneError(f"{path}: PLY element vertex has two scales: flat (2D) Gaussians are not supported")
    for name in (*_MEANS, *_SH0, *_OPACITY, *_SCALES, *_QUATS):
        if name not in names:
            raise SceneError(f"{path}: PLY element vertex has no property {name}: not a scene of Gaussians")
    higher = [name for name in names if re.fullmatch(r"f_rest_\d{1,4}", name)]
    if set(higher) != {f"f_rest_{index}" for index in range(len(higher))}:
        raise SceneError(f"{path}: PLY element vertex: the f_rest properties are not numbered from 0 onwards")
    if len(higher) // 3 not in SH_COEFFICIENTS or len(higher) % 3:
        raise SceneError(f"{path}: {len(higher)} f_rest properties, expected 0, 9, 24 or 45")
    return SH_COEFFICIENTS.index(len(higher) // 3)


def _read(
    path: Path, rows: Callable[[BinaryIO], Iterator[tuple[slice, np.ndarray]]], count: int, degree: int
) -> Gaussians:
    means, quats = np.empty((count, 3), np.float32), np.empty((count, 4), np.float32)
    log_scales, opacities = np.empty((count, 3), np.float32), np.empty((count, 1), np.float32)
    sh0, shN = np.empty((count, 1, 3), np.float32), harmonics_array(count, degree)
    higher = SH_COEFFICIENTS[degree]
    with path.open("rb") as file, np.errstate(over="ignore", invalid="ignore"):
        for block, records in rows(file):
            _fill(means[block], records, _MEANS)
            _fill(quats[block], records, _QUATS)
            _fill(log_scales[block], records, _SCALES)
            _fill(opacities[block], records, _OPACITY)
            _fill(sh0[block, 0], records, _SH0)
            for channel in range(3):
                names = tuple(f"f_rest_{channel * higher + index}" for index in range(higher))
                _fill(shN[block, :, channel], records, names)
    opacities[np.isposinf(opacities)] = logits(np.ones(1))  # what some writers make of full opacity
    return Gaussians(means, quats, log_scales, opacities[:, 0], sh0, shN, FRAME)


def _fill(target: np.ndarray, records: np.ndarray, names: tuple[str, ...]) -> None:
    for column, name in enumerate(names):
        target[:, column] = records[name]


def _binary_rows(path: Path, vertices: Element, file: BinaryIO) -> Iterator[tuple[slice, np.ndarray]]:
    for block in blocks(vertices.count):
        yield block, read_records(file, vertices, block, where=str(path))


def _text_rows(
    path: Path, header: Header, vertices: Element, skipped: int, file: BinaryIO
) -> Iterator[tuple[slice, np.ndarray]]:
    """Records of a text file as float64, after ``skipped`` lines of other elements."""
    assert vertices.dtype is not None
    names = vertices.dtype.names or ()
    file.seek(header.size_bytes)
    lines = _lines(path, file)
    for _ in islice(lines, skipped):
        pass
    wide = np.dtype([(name, np.float64) for name in names])
    for block in blocks(vertices.count):
        where = f"{path}: PLY element vertex, record {block.start} onwards"
        wanted = list(islice(lines, block.stop - block.start))
        if len(wanted) < block.stop - block.start:
            raise SceneError(
                f"{where}: the file ends after {len(wanted)} of {block.stop - block.start} lines"
            )
        try:
            values = np.loadtxt(wanted, np.float64, comments=None, ndmin=2)
        except ValueError as error:
            raise SceneError(f"{where}: {str(error)[:100]}") from error
        if values.shape != (len(wanted), len(names)):
            raise SceneError(f"{where}: {values.shape[-1]} numbers a line, expected {len(names)}")
        yield block, values.view(wide)[:, 0]


def _lines(path: Path, file: BinaryIO) -> Iterator[str]:
    """Lines that are not blank."""
    while line := file.readline(MAX_LINE_BYTES + 1):
        if len(line) > MAX_LINE_BYTES:
            raise SceneError(f"{path}: PLY data: a line of more than {MAX_LINE_BYTES} bytes")
        if line.strip():
            yield line.decode("ascii", errors="replace")


def write_ply(path: Path, gaussians: Gaussians) -> int:
    """Writes ``gaussians`` turned to RDF, little endian, with zero normals; returns the bytes written.

    A unit length cannot be kept: the format has no place for it.
    """
    higher = tuple(f"f_rest_{index}" for index in range(3 * gaussians.shN.shape[1]))
    names = (*_MEANS, *_NORMALS, *_SH0, *higher, *_OPACITY, *_SCALES, *_QUATS)
    head = ["ply", "format binary_little_endian 1.0", f"element vertex {len(gaussians)}"]
    head += [f"property float {name}" for name in names] + ["end_header", ""]
    with replacing(path) as file:
        file.write("\n".join(head).encode("ascii"))
        for block in blocks(len(gaussians)):
            file.write(_records(to_frame(gaussians.select(block), FRAME)))
        return file.tell()


def _records(part: Gaussians) -> bytes:
    columns = (
        part.means,
        np.zeros_like(part.means),
        part.sh0[:, 0],
        part.shN.transpose(0, 2, 1).reshape(len(part), -1),
        part.opacity_logits[:, None],
        part.log_scales,
        part.quats,
    )
    return np.concatenate(columns, axis=1).astype("<f4", copy=False).tobytes()

"""PlayCanvas compressed PLY: chunks of 256 Gaussians, each value a few bits between the chunk's bounds.

A vertex is four uint32: position and scale as 11, 10, 11 bits, rotation as the index of the largest component
and three times 10 bits, colour and opacity as four times 8 bits. An optional element ``sh`` holds a byte per
coefficient. Axes are RDF.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.ply_header import Element, Header, check_extent, read_records
from exgs.scene.formats.scene_file import (
    SceneFile,
    blocks,
    check_count,
    file_size,
    harmonics_array,
    logits,
)
from exgs.scene.formats.smallest_three import expand
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_C0, SH_COEFFICIENTS, Gaussians

FRAME = Frame("RDF")
CHUNK = 256
"""Gaussians that share bounds."""

_PACKED = ("packed_position", "packed_rotation", "packed_scale", "packed_color")
_POSITION = ("min_x", "min_y", "min_z", "max_x", "max_y", "max_z")
_SCALE = ("min_scale_x", "min_scale_y", "min_scale_z", "max_scale_x", "max_scale_y", "max_scale_z")
_COLOR = ("min_r", "min_g", "min_b", "max_r", "max_g", "max_b")
_ALPHA_LOGITS = logits(np.arange(256) / 255.0)
_HARMONICS = ((np.r_[0.0, np.arange(1, 255) + 0.5, 256.0] / 256.0 - 0.5) * 8.0).astype(np.float32)
"""Bytes of the element sh to coefficients: the ends are exact, the rest at the middle of their step."""


def is_compressed(header: Header) -> bool:
    """Whether the header is one of this format rather than of plain values."""
    vertices = header.find("vertex")
    return vertices is not None and vertices.dtype is not None and _PACKED[0] in (vertices.dtype.names or ())


def open_compressed_ply(path: Path, header: Header, *, max_gaussians: int) -> SceneFile:
    """Checks the three elements against each other and against the size of the file."""
    size = file_size(path)
    vertices, chunks, harmonics = (header.find(name) for name in ("vertex", "chunk", "sh"))
    if vertices is None or chunks is None:
        raise SceneError(f"{path}: PLY header: no element chunk beside the packed vertices")
    if header.encoding == "ascii":
        raise SceneError(f"{path}: PLY header: packed vertices as text are not supported")
    check_count(f"{path}: PLY element vertex", vertices.count, most=max_gaussians)
    for element in (chunks, vertices, harmonics):
        if element is not None:
            check_extent(path, element, size_bytes=size)
    _check_properties(path, vertices, _PACKED, kind="u4")
    colors = _COLOR if _has_color_bounds(chunks) else ()
    _check_properties(path, chunks, _POSITION + _SCALE + colors, kind="f4")
    if chunks.count * CHUNK < vertices.count:
        raise SceneError(f"{path}: {chunks.count} chunks of {CHUNK} for {vertices.count} vertices")
    degree = 0 if harmonics is None else _harmonics_degree(path, harmonics, vertices.count)
    read = partial(_read, path, chunks, vertices, harmonics if degree else None, degree)
    return SceneFile("compressed PLY", "", vertices.count, degree, FRAME, size, read)


def _has_color_bounds(chunks: Element) -> bool:
    """Whether colours lie between bounds too; they lie between 0 and 1 in files before 2024."""
    return chunks.dtype is not None and not set(_COLOR).isdisjoint(chunks.dtype.names or ())


def _check_properties(path: Path, element: Element, names: tuple[str, ...], *, kind: str) -> None:
    assert element.dtype is not None
    for name in names:
        if name not in (element.dtype.names or ()) or element.dtype[name].newbyteorder("=") != np.dtype(kind):
            wanted = {"u4": "uint", "f4": "float", "u1": "uchar"}[kind]
            raise SceneError(f"{path}: PLY element {element.name} has no property {wanted} {name}")


def _harmonics_degree(path: Path, harmonics: Element, count: int) -> int:
    assert harmonics.dtype is not None
    columns = len(harmonics.dtype.names or ())
    if columns not in (0, 9, 24, 45) or harmonics.count != count:
        raise SceneError(
            f"{path}: PLY element sh: {harmonics.count} records of {columns} coefficients, "
            f"expected {count} of 9, 24 or 45"
        )
    _check_properties(path, harmonics, tuple(f"f_rest_{index}" for index in range(columns)), kind="u1")
    return SH_COEFFICIENTS.index(columns // 3)


def _read(
    path: Path, chunks: Element, vertices: Element, harmonics: Element | None, degree: int
) -> Gaussians:
    count = vertices.count
    means, quats = np.empty((count, 3), np.float32), np.empty((count, 4), np.float32)
    log_scales, opacity_logits = np.empty((count, 3), np.float32), np.empty(count, np.float32)
    sh0, shN = np.empty((count, 1, 3), np.float32), harmonics_array(count, degree)
    where = str(path)
    with path.open("rb") as file, np.errstate(over="ignore", invalid="ignore"):
        for block in blocks(count):
            rows = slice(block.start // CHUNK, -(-block.stop // CHUNK))
            bounds = read_records(file, chunks, rows, where=where)
            packed = read_records(file, vertices, block, where=where)
            within = np.arange(len(packed)) // CHUNK
            means[block] = _between(bounds, _POSITION, within, _unpack_11_10_11(packed["packed_position"]))
            log_scales[block] = _between(bounds, _SCALE, within, _unpack_11_10_11(packed["packed_scale"]))
            quats[block] = _unpack_rotation(packed["packed_rotation"])
            color = packed["packed_color"]
            rgb = np.stack([_bits(color, shift, 8) for shift in (24, 16, 8)], axis=1)
            if _has_color_bounds(chunks):
                rgb = _between(bounds, _COLOR, within, rgb)
            sh0[block, 0] = (rgb - 0.5) / SH_C0
            opacity_logits[block] = _ALPHA_LOGITS[color & 255]
            if harmonics is not None:
                _read_harmonics(file, harmonics, block, shN[block], where)
    return Gaussians(means, quats, log_scales, opacity_logits, sh0, shN, FRAME)


def _read_harmonics(file: BinaryIO, element: Element, block: slice, target: np.ndarray, where: str) -> None:
    records = read_records(file, element, block, where=where)
    higher = target.shape[1]
    for index in range(3 * higher):
        target[:, index % higher, index // higher] = _HARMONICS[records[f"f_rest_{index}"]]


def _bits(packed: np.ndarray, shift: int, width: int) -> np.ndarray:
    """[n] float64 in [0, 1] of ``width`` bits above ``shift``."""
    mask = (1 << width) - 1
    return ((packed >> shift) & mask) / float(mask)


def _unpack_11_10_11(packed: np.ndarray) -> np.ndarray:
    return np.stack([_bits(packed, 21, 11), _bits(packed, 11, 10), _bits(packed, 0, 11)], axis=1)


def _unpack_rotation(packed: np.ndarray) -> np.ndarray:
    first, second, third = ((_bits(packed, shift, 10) - 0.5) * np.sqrt(2.0) for shift in (20, 10, 0))
    return expand(first, second, third, packed >> 30)


def _between(bounds: np.ndarray, names: tuple[str, ...], within: np.ndarray, place: np.ndarray) -> np.ndarray:
    """[n,3] float64: ``place`` 0 to 1 between the lows (first three names) and highs of each chunk."""
    low = np.stack([bounds[name] for name in names[:3]], axis=1)[within]
    high = np.stack([bounds[name] for name in names[3:]], axis=1)[within]
    return low * (1.0 - place) + high * place

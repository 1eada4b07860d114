"""Headers of PLY files: which elements they hold, of which properties, and where.

Source: G. Turk, The PLY Polygon File Format.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.scene_file import read_exactly

MAX_HEADER_BYTES = 1 << 16
MAX_COUNT_DIGITS = 15

_TYPES = {
    **{"char": "i1", "uchar": "u1", "short": "i2", "ushort": "u2", "int": "i4", "uint": "u4"},
    **{"int8": "i1", "uint8": "u1", "int16": "i2", "uint16": "u2", "int32": "i4", "uint32": "u4"},
    **{"float": "f4", "double": "f8", "float32": "f4", "float64": "f8"},
}
_BYTE_ORDERS = {"binary_little_endian": "<", "binary_big_endian": ">", "ascii": "="}
_END = re.compile(rb"(?:^|\n)end_header[ \t]*\r?\n")


@dataclass(frozen=True)
class Element:
    """One element of a PLY file: a table of records."""

    name: str
    """Name of the element, such as ``vertex``."""
    count: int
    """Records."""
    dtype: np.dtype | None
    """Structured type of a record; None where a property is a list."""
    offset: int | None
    """Byte of the first record in a binary file; None where it cannot be known without reading."""


@dataclass(frozen=True)
class Header:
    """The header of a PLY file."""

    encoding: str
    """``binary_little_endian``, ``binary_big_endian`` or ``ascii``."""
    elements: tuple[Element, ...]
    """In the order of the file."""
    size_bytes: int
    """Bytes of the header: where the data begin."""

    def find(self, name: str) -> Element | None:
        """The element called ``name``."""
        return next((element for element in self.elements if element.name == name), None)


def parse_header(path: Path, file: BinaryIO) -> Header:
    """Reads the header at the start of ``file``; SceneError names the line that is wrong."""
    head = file.read(MAX_HEADER_BYTES)
    end = _END.search(head)
    if end is None:
        raise SceneError(f"{path}: PLY header: no end_header in the first {len(head)} bytes")
    try:
        lines = head[: end.end()].decode("ascii").splitlines()
    except UnicodeDecodeError as error:
        raise SceneError(f"{path}: PLY header: byte {error.start} is not ASCII") from error
    if len(lines) < 3 or lines[0].strip() != "ply":
        raise SceneError(f"{path}: PLY header: expected the first line to be ply")
    encoding = _parse_format(path, lines[1])
    tables = _parse_elements(path, lines[2:-1], _BYTE_ORDERS[encoding])
    return Header(encoding, _place(tables, end.end(), binary=encoding != "ascii"), end.end())


def _parse_format(path: Path, line: str) -> str:
    words = line.split()
    if len(words) != 3 or words[0] != "format" or words[1] not in _BYTE_ORDERS or words[2] != "1.0":
        raise SceneError(f"{path}: PLY header, line 2: unsupported format line {line[:60]!r}")
    return words[1]


def _parse_elements(
    path: Path, lines: list[str], byte_order: str
) -> list[tuple[str, int, dict[str, str | None]]]:
    """Name, count and the properties (None for a list) of each element."""
    tables: list[tuple[str, int, dict[str, str | None]]] = []
    for number, line in enumerate(lines, start=3):
        words = line.split()
        where = f"{path}: PLY header, line {number}"
        match words:
            case [] | ["comment", *_] | ["obj_info", *_]:
                continue
            case ["element", name, digits]:
                if not digits.isdecimal() or len(digits) > MAX_COUNT_DIGITS:
                    raise SceneError(f"{where}: element {name[:60]} has the count {digits[:40]!r}")
                if any(name == other for other, _, _ in tables):
                    raise SceneError(f"{where}: element {name[:60]} appears twice")
                tables.append((name, int(digits), {}))
            case ["property", "list", _, _, name] if tables:
                _add(where, tables[-1][2], name, None)
            case ["property", kind, name] if tables and kind in _TYPES:
                _add(where, tables[-1][2], name, byte_order + _TYPES[kind])
            case _:
                raise SceneError(f"{where}: cannot make sense of {line[:60]!r}")
    return tables


def _add(where: str, properties: dict[str, str | None], name: str, code: str | None) -> None:
    if name in properties:
        raise SceneError(f"{where}: property {name[:60]} appears twice")
    properties[name] = code


def _place(
    tables: list[tuple[str, int, dict[str, str | None]]], start: int, *, binary: bool
) -> tuple[Element, ...]:
    offset: int | None = start if binary else None
    elements = []
    for name, count, properties in tables:
        codes = [(key, code) for key, code in properties.items() if code is not None]
        dtype = np.dtype(codes) if len(codes) == len(properties) else None
        elements.append(Element(name, count, dtype, offset))
        offset = None if offset is None or dtype is None else offset + count * dtype.itemsize
    return tuple(elements)


def check_extent(path: Path, element: Element, *, size_bytes: int) -> tuple[np.dtype, int]:
    """Record type and offset of an element of a binary file, once all records are known to lie in it."""
    if element.dtype is None:
        raise SceneError(f"{path}: PLY element {element.name}: list properties are not supported")
    if element.offset is None:
        raise SceneError(f"{path}: PLY element {element.name}: stands after an element with list properties")
    end = element.offset + element.count * element.dtype.itemsize
    if end > size_bytes:
        raise SceneError(
            f"{path}: PLY element {element.name}: {element.count} records of {element.dtype.itemsize} bytes "
            f"end at byte {end}, but the file has {size_bytes}"
        )
    return element.dtype, element.offset


def read_records(file: BinaryIO, element: Element, rows: slice, *, where: str) -> np.ndarray:
    """The records ``rows`` of an element that ``check_extent`` passed."""
    assert element.dtype is not None and element.offset is not None
    file.seek(element.offset + rows.start * element.dtype.itemsize)
    size = (rows.stop - rows.start) * element.dtype.itemsize
    data = read_exactly(file, size, where=f"{where}: PLY element {element.name}, record {rows.start} onwards")
    return np.frombuffer(data, element.dtype)

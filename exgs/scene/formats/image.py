"""Pictures that hold numbers: lossless WebP or PNG, decoded once their size is known to be right."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from exgs.scene.errors import SceneError

SPARE_PIXELS = 1 << 20
"""Pixels that a picture may have beyond four times those that are needed."""
MAX_RIFF_CHUNKS = 32

_PNG = b"\x89PNG\r\n\x1a\n"


def decode(data: bytes, *, where: str, pixels: int) -> np.ndarray:
    """[H,W,4] uint8 of a picture with at least ``pixels`` pixels, opaque where it has no alpha.

    Raises:
        SceneError: no such picture, too few pixels, or far too many (known before it is decoded).
    """
    width, height = dimensions(data, where=where)
    if not pixels <= width * height <= 4 * pixels + SPARE_PIXELS:
        raise SceneError(f"{where}: a picture of {width} x {height}, expected about {pixels} pixels")
    try:
        with Image.open(io.BytesIO(data), formats=("WEBP", "PNG")) as image:
            values = np.asarray(image.convert("RGBA"))
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, Image.DecompressionBombError) as error:
        raise SceneError(f"{where}: broken picture ({error})") from error
    if values.shape != (height, width, 4):
        raise SceneError(
            f"{where}: a picture of {values.shape[1]} x {values.shape[0]} that claims {width} x {height}"
        )
    return values


def dimensions(data: bytes, *, where: str) -> tuple[int, int]:
    """Width and height that the header of a lossless WebP or a PNG states."""
    if data.startswith(_PNG):
        return _png_dimensions(data, where)
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return _webp_dimensions(data, where)
    raise SceneError(f"{where}: neither WebP nor PNG")


def _png_dimensions(data: bytes, where: str) -> tuple[int, int]:
    if len(data) < 33 or data[12:16] != b"IHDR":
        raise SceneError(f"{where}: PNG without a header")
    width, height, depth, kind = struct.unpack_from(">IIBB", data, 16)
    if depth != 8 or kind not in (2, 6):
        raise SceneError(f"{where}: PNG of colour type {kind} with {depth} bits, expected RGB or RGBA with 8")
    return width, height


def _webp_dimensions(data: bytes, where: str) -> tuple[int, int]:
    """Those of the one lossless picture; a canvas of another size is refused."""
    position, canvas = 12, None
    for _ in range(MAX_RIFF_CHUNKS):
        if position + 18 > len(data):
            break
        name, size = struct.unpack_from("<4sI", data, position)
        body = position + 8
        if name == b"VP8X":
            if data[body] & 2:
                raise SceneError(f"{where}: an animated WebP")
            canvas = tuple(1 + int.from_bytes(data[body + at : body + at + 3], "little") for at in (4, 7))
        elif name == b"VP8 ":
            raise SceneError(f"{where}: a lossy WebP cannot hold exact numbers, expected a lossless one")
        elif name == b"VP8L":
            (bits,) = struct.unpack_from("<I", data, body + 1)
            found = (1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF))
            if data[body] != 0x2F or canvas not in (None, found):
                break
            return found
        position = body + size + (size & 1)
    raise SceneError(f"{where}: WebP without a sound lossless picture in it")

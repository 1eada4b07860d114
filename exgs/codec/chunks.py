"""Chunks: bytes to Gaussians."""

from __future__ import annotations

import zlib

import numpy as np

from exgs.codec.errors import Corrupt
from exgs.codec.header import Preamble
from exgs.scene import SH_COEFFICIENTS, Gaussians


def decode_chunk(preamble: Preamble, id: int, data: bytes | memoryview) -> Gaussians:
    """The splats of chunk ``id``, whose bytes are ``data``.

    Raises:
        DecodeError: the bytes are damaged or of the wrong length.
    """
    info = preamble.chunks[id]
    section = f"chunk {id}"
    if len(data) != info.size_bytes or len(data) < 4:
        message = f"{len(data)} bytes, the manifest says {info.size_bytes}"
        raise Corrupt(message, rule="M12", section=section, offset=0)
    data = bytes(data)
    if zlib.crc32(data[:-4]) != int.from_bytes(data[-4:], "little"):
        raise Corrupt("the checksum differs", rule="M11", section=section, offset=len(data) - 4)
    n, k = info.count, SH_COEFFICIENTS[preamble.header.sh_degree]
    raw = zlib.decompressobj().decompress(data[:-4], n * (12 + 2 * (11 + 3 * k)))
    means = np.frombuffer(raw[: 12 * n], np.float32).reshape(n, 3).copy()
    rest = np.frombuffer(raw[12 * n :], np.float16).astype(np.float32)
    columns = []
    for width in (4, 3, 1, 3, 3 * k):
        columns.append(rest[: width * n])
        rest = rest[width * n :]
    quats, log_scales, logits, sh0, shN = columns
    return Gaussians(
        means,
        quats.reshape(n, 4),
        log_scales.reshape(n, 3),
        logits,
        sh0.reshape(n, 1, 3),
        shN.reshape(n, k, 3),
        preamble.header.frame,
    )

"""Pyramids to files."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

import numpy as np

from exgs.codec.cutting import Cut, cut
from exgs.codec.header import VERSION, Header, finish_preamble, serialize_header
from exgs.codec.manifest import ChunkInfo
from exgs.codec.pyramid import Pyramid
from exgs.codec.quantisation import Precision

CHUNK_SPLATS = (4800, 3000, 2200, 1600)
"""Splats that make a chunk of about 40 KiB, by SH degree."""


@dataclass(frozen=True, eq=False)
class Serialized:
    """A file and where its bytes went."""

    data: bytes
    """The whole file."""
    section_bytes: dict[str, int]
    """Bytes per section; they add up to the file."""


def serialize(pyramid: Pyramid, precision: Precision) -> bytes:
    """The file of ``pyramid``; the same pyramid and precision give the same bytes.

    Raises:
        EncodeError: the pyramid is not one, or holds values that cannot be coded.
    """
    return serialize_measured(pyramid, precision).data


def serialize_measured(pyramid: Pyramid, precision: Precision) -> Serialized:
    """As ``serialize``, with the bytes that each section takes."""
    first = pyramid.levels[0].gaussians
    cuts = cut(pyramid, CHUNK_SPLATS[first.sh_degree])
    bodies = [_body(pyramid, piece) for piece in cuts]
    gains = [float(pyramid.levels[c.level].importance[c.index].sum()) for c in cuts]
    order = sorted(range(len(cuts)), key=lambda i: (-cuts[i].level, -gains[i] / len(bodies[i]), cuts[i].tile))
    means = np.concatenate([level.gaussians.means for level in pyramid.levels])
    box = np.stack([means.min(axis=0), means.max(axis=0)])
    splats = tuple(len(level.gaussians) for level in pyramid.levels)
    header = Header(VERSION, first.frame, first.sh_degree, splats, box[0], box[1])
    place = {cut_index: id for id, cut_index in enumerate(order)}
    chunks = [_info(id, cuts[i], place, len(bodies[i]), gains[i], pyramid) for id, i in enumerate(order)]
    head = serialize_header(header)
    preamble = finish_preamble(header, head, chunks)
    data = preamble + b"".join(bodies[i] for i in order)
    return Serialized(data, {"header": len(head), "manifest": len(preamble) - len(head)})


def _info(
    id: int, piece: Cut, place: dict[int, int], size_bytes: int, gain: float, pyramid: Pyramid
) -> ChunkInfo:
    means = pyramid.levels[piece.level].gaussians.means[piece.index]
    parent = place[piece.parent] if piece.parent >= 0 else -1
    return ChunkInfo(
        id,
        piece.level,
        piece.tile,
        parent,
        piece.first,
        piece.replaced,
        len(piece.index),
        0,
        size_bytes,
        means.min(axis=0),
        means.max(axis=0),
        gain,
    )


def _body(pyramid: Pyramid, piece: Cut) -> bytes:
    part = pyramid.levels[piece.level].gaussians.select(piece.index)
    arrays = (part.quats, part.log_scales, part.opacity_logits, part.sh0, part.shN)
    raw = part.means.tobytes() + b"".join(a.astype(np.float16).tobytes() for a in arrays)
    body = zlib.compress(raw)
    return body + zlib.crc32(body).to_bytes(4, "little")

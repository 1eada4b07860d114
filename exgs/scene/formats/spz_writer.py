"""Writes SPZ version 3, which every reader of the format takes.

Precision: means to half a step of the finest fixed point that holds the scene, log scales to 1/32 within -10
to 5.94, opacities to 1/510, sh0 to 0.0131 within -3.33 to 3.33, harmonics to 1/256 within -1 to 0.992,
rotations to about 0.2 degrees. What lies beyond a range is moved to its end.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.finite import bounds, finite_mask
from exgs.scene.formats.atomic import replacing
from exgs.scene.formats.scene_file import blocks
from exgs.scene.formats.spz import COLOR_STEP, FRAME, HEADER, MAGIC
from exgs.scene.gaussians import Gaussians
from exgs.scene.transform import to_frame

VERSION = 3
MOST_FRACTIONAL_BITS = 24
LARGEST = (1 << 23) - 1
"""Largest mean in steps: 24 bits with a sign."""
COMPRESSION_LEVEL = 6

_OTHERS = np.array([[1, 2, 3], [0, 2, 3], [0, 1, 3], [0, 1, 2]])
"""Row: index of the largest component; the three that are stored."""


def write_spz(path: Path, gaussians: Gaussians) -> int:
    """Writes ``gaussians`` turned to RUB; returns the bytes written.

    A unit length cannot be kept: the format has no place for it.

    Raises:
        SceneError: values that are not finite, means beyond 8 million units, or the file cannot be written.
    """
    count = len(gaussians)
    if count >= 1 << 32:
        raise SceneError(f"{path}: {count} Gaussians, but SPZ counts to 2^32 - 1")
    if not finite_mask(gaussians).all():
        raise SceneError(f"{path}: SPZ cannot hold values that are not finite: drop those Gaussians first")
    bits = _fractional_bits(path, gaussians)
    sections = _pack(gaussians, bits)
    header = HEADER.pack(MAGIC, VERSION, count, gaussians.sh_degree, bits, 0, 0)
    with replacing(path) as file:
        with gzip.GzipFile("", "wb", COMPRESSION_LEVEL, file, mtime=0) as stream:
            stream.write(header)
            for section in sections:
                stream.write(section.data)
        return file.tell()


def _fractional_bits(path: Path, gaussians: Gaussians) -> int:
    """As many as leave room for the outermost mean, 24 at most."""
    box = bounds(gaussians)
    reach = float(np.abs(box).max()) if box is not None else 0.0
    for bits in range(MOST_FRACTIONAL_BITS, -1, -1):
        if reach * (1 << bits) <= LARGEST:
            return bits
    raise SceneError(f"{path}: SPZ holds means up to {LARGEST} units, found {reach:g}")


def _pack(gaussians: Gaussians, bits: int) -> list[np.ndarray]:
    """The sections, each [N, bytes of a record] uint8."""
    records = (9, 1, 3, 3, 4, 3 * gaussians.shN.shape[1])
    sections = [np.empty((len(gaussians), record), np.uint8) for record in records]
    for block in blocks(len(gaussians)):
        part = to_frame(gaussians.select(block), FRAME)
        steps = np.round(part.means.astype(np.float64) * (1 << bits)).astype("<i4")
        values = (
            np.ascontiguousarray(steps[..., None].view(np.uint8)[..., :3]).reshape(len(part), 9),
            _bytes(part.opacities * 255.0)[:, None],
            _bytes((part.sh0[:, 0] * COLOR_STEP + 0.5) * 255.0),
            _bytes((part.log_scales + 10.0) * 16.0),
            _pack_rotations(part.quats),
            _bytes(part.shN * 128.0 + 128.0).reshape(len(part), -1),
        )
        for section, value in zip(sections, values, strict=True):
            section[block] = value
    return sections


def _bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def _pack_rotations(quats: np.ndarray) -> np.ndarray:
    """[n,4] uint8: index of the largest of x, y, z, w; then sign and nine bits for each of the others."""
    xyzw = quats[:, [1, 2, 3, 0]].astype(np.float64)
    xyzw /= np.linalg.norm(xyzw, axis=1, keepdims=True)
    largest = np.abs(xyzw).argmax(axis=1)
    xyzw *= np.where(np.take_along_axis(xyzw, largest[:, None], axis=1) < 0, -1.0, 1.0)
    stored = np.take_along_axis(xyzw, _OTHERS[largest], axis=1)
    sizes = np.minimum(np.round(np.abs(stored) * (511.0 / np.sqrt(0.5))), 511).astype(np.uint32)
    fields = sizes | (stored < 0).astype(np.uint32) << 9
    packed = largest.astype(np.uint32) << 30 | fields[:, 0] << 20 | fields[:, 1] << 10 | fields[:, 2]
    return packed.astype("<u4")[:, None].view(np.uint8)

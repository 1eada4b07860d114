"""The .splat format: 32 bytes a Gaussian, no header, no harmonics. Axes are RDF.

A record is the mean and the scales as float32, colour and opacity as bytes, and a wxyz quaternion as bytes
around 128.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.scene_file import (
    SceneFile,
    blocks,
    check_count,
    file_size,
    harmonics_array,
    logits,
    read_exactly,
)
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_C0, Gaussians

FRAME = Frame("RDF")
SMALLEST_SCALE = 1e-12
"""Scales below this, zero among them, are raised to it so that their logarithm is finite."""

_RECORD = np.dtype([("mean", "<f4", 3), ("scale", "<f4", 3), ("color", "u1", 4), ("quat", "u1", 4)])
_COLOR = ((np.arange(256) / 255.0 - 0.5) / SH_C0).astype(np.float32)
_ALPHA_LOGITS = logits(np.arange(256) / 255.0)
_QUAT = (np.arange(256, dtype=np.float32) - 128) / 128


def open_splat(path: Path, *, max_gaussians: int) -> SceneFile:
    """Checks that the file is a whole number of records; the format has nothing else to check."""
    size = file_size(path)
    if size % _RECORD.itemsize:
        raise SceneError(
            f"{path}: {size} bytes, expected a multiple of {_RECORD.itemsize} (one .splat record)"
        )
    count = size // _RECORD.itemsize
    check_count(str(path), count, most=max_gaussians)
    return SceneFile("splat", "", count, 0, FRAME, size, partial(_read, path, count))


def _read(path: Path, count: int) -> Gaussians:
    means, quats = np.empty((count, 3), np.float32), np.empty((count, 4), np.float32)
    log_scales, opacity_logits = np.empty((count, 3), np.float32), np.empty(count, np.float32)
    sh0 = np.empty((count, 1, 3), np.float32)
    with path.open("rb") as file, np.errstate(invalid="ignore"):
        for block in blocks(count):
            size = (block.stop - block.start) * _RECORD.itemsize
            data = read_exactly(file, size, where=f"{path}: record {block.start} onwards")
            records = np.frombuffer(data, _RECORD)
            means[block] = records["mean"]
            log_scales[block] = np.log(np.maximum(records["scale"], SMALLEST_SCALE))
            sh0[block, 0] = _COLOR[records["color"][:, :3]]
            opacity_logits[block] = _ALPHA_LOGITS[records["color"][:, 3]]
            turned = _QUAT[records["quat"]]
            quats[block] = turned / (np.linalg.norm(turned, axis=1, keepdims=True) + 1e-9)
    return Gaussians(means, quats, log_scales, opacity_logits, sh0, harmonics_array(count, 0), FRAME)

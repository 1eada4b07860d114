"""PlayCanvas SOG, versions 1 and 2: a meta.json and lossless pictures with one pixel per Gaussian.

Means are 16 bits a component between bounds, in two pictures, on the scale sign(x) * log(1 + |x|). Rotations
are the three smallest components. Other values are bytes that stand for what the meta.json says. Higher
harmonics are a palette, 64 entries to a row of a picture, and a label per Gaussian. Axes are RDF.
Source: developer.playcanvas.com, The SOG Format.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.bundle import Bundle, FolderBundle, ZipBundle
from exgs.scene.formats.image import SPARE_PIXELS, decode
from exgs.scene.formats.scene_file import SceneFile, blocks, harmonics_array
from exgs.scene.formats.smallest_three import expand
from exgs.scene.formats.sog_meta import (
    MAX_PALETTE_BYTES,
    PALETTE_COLUMNS,
    Harmonics,
    Sog,
    palette_size,
    parse_sog,
)
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_COEFFICIENTS, Gaussians

FRAME = Frame("RDF")
MAX_PIXEL_BYTES = 8
"""Bytes of a picture's file per Gaussian; beyond them only ``SPARE_PIXELS`` more."""
FIRST_MODE = 252
"""Alpha of a rotation whose largest component is w; 253 to 255 for x, y, z."""

_SMALL = (np.arange(256) / 255.0 * 2.0 - 1.0) / np.sqrt(2.0)


def open_sog(path: Path, *, max_gaussians: int) -> SceneFile:
    """A SOG archive, or the folder of a SOG scene."""
    bundle: Bundle = FolderBundle(path) if path.is_dir() else ZipBundle(path)
    sog = parse_sog(bundle, max_gaussians=max_gaussians)
    size = sum(bundle.size_bytes(name) for name in sog.files) if path.is_dir() else path.stat().st_size
    read = partial(read_sog, sog)
    return SceneFile("SOG", f"v{sog.version}", sog.count, sog.sh_degree, FRAME, size, read)


def read_sog(sog: Sog) -> Gaussians:
    """Decodes the pictures one after the other."""
    lower, upper, rotations, scales, colors = sog.pictures
    means = _read_means(sog, lower, upper)
    quats = _read_quats(sog, rotations)
    log_scales = np.empty((sog.count, 3), np.float32)
    pixels = _pixels(sog, scales)
    for channel in range(3):
        log_scales[:, channel] = sog.scales[channel][pixels[:, channel]]
    sh0, opacity_logits = np.empty((sog.count, 1, 3), np.float32), np.empty(sog.count, np.float32)
    pixels = _pixels(sog, colors)
    for channel in range(3):
        sh0[:, 0, channel] = sog.colors[channel][pixels[:, channel]]
    opacity_logits[:] = sog.colors[3][pixels[:, 3]]
    return Gaussians(means, quats, log_scales, opacity_logits, sh0, _read_harmonics(sog), FRAME)


def _pixels(sog: Sog, name: str) -> np.ndarray:
    """[count,4] uint8."""
    data = sog.bundle.read(name, most=sog.count * MAX_PIXEL_BYTES + SPARE_PIXELS)
    return decode(data, where=f"{sog.bundle.where}: {name}", pixels=sog.count).reshape(-1, 4)[: sog.count]


def _read_means(sog: Sog, lower: str, upper: str) -> np.ndarray:
    low, high = _pixels(sog, lower), _pixels(sog, upper)
    means = np.empty((sog.count, 3), np.float32)
    steps = np.arange(1 << 16) / 65535.0
    for axis in range(3):
        with np.errstate(over="ignore", invalid="ignore"):
            place = sog.lows[axis] + steps * (sog.highs[axis] - sog.lows[axis])
            table = (np.sign(place) * np.expm1(np.abs(place))).astype(np.float32)
        means[:, axis] = table[low[:, axis] | high[:, axis].astype(np.uint16) << 8]
    return means


def _read_quats(sog: Sog, name: str) -> np.ndarray:
    pixels = _pixels(sog, name)
    modes = pixels[:, 3]
    if modes.size and modes.min() < FIRST_MODE:
        wrong = int(np.argmax(modes < FIRST_MODE))
        raise SceneError(
            f"{sog.bundle.where}: {name}: pixel {wrong} has alpha {modes[wrong]}, expected 252 to 255"
        )
    quats = np.empty((sog.count, 4), np.float32)
    for block in blocks(sog.count):
        first, second, third = (_SMALL[pixels[block, channel]] for channel in range(3))
        quats[block] = expand(first, second, third, modes[block] - FIRST_MODE)
    return quats


def _read_harmonics(sog: Sog) -> np.ndarray:
    if sog.harmonics is None:
        return harmonics_array(sog.count, 0)
    source = sog.harmonics
    palette = _read_palette(sog, source)
    pixels = _pixels(sog, source.labels)
    labels = pixels[:, 0] | pixels[:, 1].astype(np.uint16) << 8
    if sog.version == 1 and labels.size and labels.max() >= len(palette):
        wrong = int(np.argmax(labels >= len(palette)))
        raise SceneError(
            f"{sog.bundle.where}: {source.labels}: pixel {wrong} has label {labels[wrong]} of {len(palette)}"
        )
    shN = harmonics_array(sog.count, source.degree)
    for block in blocks(sog.count):
        np.take(palette, labels[block], axis=0, out=shN[block], mode="clip")
        shN[block][labels[block] >= source.count] = 0.0
    return shN


def _read_palette(sog: Sog, source: Harmonics) -> np.ndarray:
    """[entries,K,3] float32."""
    higher = SH_COEFFICIENTS[source.degree]
    width, height = palette_size(sog.bundle, source.centroids)
    where = f"{sog.bundle.where}: {source.centroids}"
    if width != PALETTE_COLUMNS * higher:
        raise SceneError(
            f"{where}: {width} pixels wide, expected {PALETTE_COLUMNS * higher} for SH degree {source.degree}"
        )
    picture = decode(
        sog.bundle.read(source.centroids, most=MAX_PALETTE_BYTES), where=where, pixels=width * height
    )
    values = source.values.astype(np.float32)[picture[..., :3]]
    return values.reshape(height * PALETTE_COLUMNS, higher, 3)

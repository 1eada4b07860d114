"""Integer columns to Gaussians: where floating point begins."""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import kernel, wide
from exgs.codec.model import (
    CHROMA_G,
    CHROMA_O,
    CLASS,
    DROP_2,
    DROP_3,
    FACE,
    FINE,
    LUMA,
    MAX_FINE_BITS,
    MAX_ROTATION_BITS,
    POLE_BITS,
    POLE_U,
    POLE_V,
    SCALE,
    SH,
    SPIN,
    SPIN_BITS,
    X,
)
from exgs.codec.model import OPACITY as OPACITY_COLUMN
from exgs.scene import SH_C0, Gaussians
from exgs.scene.frame import Frame

_HALVES = 2 << MAX_ROTATION_BITS
TANGENTS = np.tan(np.pi / 4 * (np.arange(_HALVES + 1) * (2.0 / _HALVES) - 1.0))
"""[2049] float64 place on a face of the cube for every half cell of the finest pole coordinate."""
COSINES = np.cos(np.pi / 2 * np.arange(_HALVES) / _HALVES)
"""[2048] float64 cosine of half the spin for every half cell of the finest spin, which lies in 0 to pi."""
SINES = np.sin(np.pi / 2 * np.arange(_HALVES) / _HALVES)
"""[2048] float64 sine of half the spin."""


def opacity_logits(levels: int) -> np.ndarray:
    """[levels] float32 logit of every opacity: evenly spaced from 1/256 to 255/256."""
    opacity = (1.0 + 254.0 * np.arange(levels) / (levels - 1)) / 256.0
    return np.log(opacity / (1.0 - opacity)).astype(np.float32)


def dequantise(codes: np.ndarray, steps: np.ndarray, logits: np.ndarray, frame: Frame) -> Gaussians:
    """Gaussians from ``codes`` [rows, N] int32.

    ``steps`` [8] float64: position step, lattice corner x, y, z, the step of scale, those of class 0 of
    colour and coefficients, and below which class scales are finer; ``logits`` [levels] float32.
    """
    count, coefficients = codes.shape[1], (len(codes) - SH) // 3
    means, quats = np.empty((count, 3), np.float32), np.empty((count, 4), np.float32)
    log_scales, sh0 = np.empty((count, 3), np.float32), np.empty((count, 1, 3), np.float32)
    shN = np.empty((count, coefficients, 3), np.float32)
    _fill(codes, steps, (TANGENTS, COSINES, SINES), means, quats, log_scales)
    _fill_colours(codes, steps, sh0, shN)
    return Gaussians(means, quats, log_scales, logits[codes[OPACITY_COLUMN]], sh0, shN, frame)


@kernel
def _fill(
    codes: np.ndarray,
    steps: np.ndarray,
    angles: tuple[np.ndarray, ...],
    means: np.ndarray,
    quats: np.ndarray,
    log_scales: np.ndarray,
) -> None:
    for index in range(codes.shape[1]):
        for axis in range(3):
            means[index, axis] = steps[1 + axis] + codes[X + axis, index] * (0.5 * steps[0])
        step, bits = steps[4] * 0.0625, min(max(wide(steps[7]) - codes[CLASS, index], 0), MAX_FINE_BITS)
        long = wide(codes[SCALE, index])
        middle = long - codes[DROP_2, index]
        short = middle - codes[DROP_3, index]
        long = _finer(long, codes[FINE, index], bits)
        middle = _finer(middle, codes[FINE + 1, index], bits)
        short = _finer(short, codes[FINE + 2, index], bits)
        pole = codes[FACE, index]
        first, last = (1, 2, 0)[pole], (2, 0, 1)[pole]
        if codes[DROP_2, index] > codes[DROP_3, index]:
            log_scales[index, pole], log_scales[index, first] = long * step, middle * step
            log_scales[index, last] = short * step
        else:
            log_scales[index, pole], log_scales[index, first] = short * step, long * step
            log_scales[index, last] = middle * step
        turn(codes, index, angles, quats)


@kernel
def _finer(value: int, further: int, bits: int) -> int:
    """Sixteenths of a step: the middle of what ``bits`` further bits leave of the cell about ``value``."""
    return 16 * value - 8 + ((2 * further + 1) << (MAX_FINE_BITS - bits))


@kernel
def turn(codes: np.ndarray, index: int, angles: tuple[np.ndarray, ...], quats: np.ndarray) -> None:
    """Writes the rotation of splat ``index``: first the spin, then straight to the pole."""
    tangents, cosines, sines = angles
    u = v = 0.0
    if codes[POLE_BITS, index] >= 0:
        shift = MAX_ROTATION_BITS - codes[POLE_BITS, index]
        u = tangents[(2 * codes[POLE_U, index] + 1) << shift]
        v = tangents[(2 * codes[POLE_V, index] + 1) << shift]
    angle = 0
    if codes[SPIN_BITS, index] > 0:
        angle = (2 * codes[SPIN, index] + 1) << (MAX_ROTATION_BITS - codes[SPIN_BITS, index])
    cosine, sine = cosines[angle], sines[angle]
    length = np.sqrt(1.0 + u * u + v * v)
    scale = 1.0 / np.sqrt(2.0 * length * (length + 1.0))
    pole = codes[FACE, index]
    quats[index, 0] = (length + 1.0) * cosine * scale
    quats[index, 1 + pole] = (length + 1.0) * sine * scale
    quats[index, 1 + (1, 2, 0)[pole]] = (u * sine - v * cosine) * scale
    quats[index, 1 + (2, 0, 1)[pole]] = (u * cosine + v * sine) * scale


@kernel
def _fill_colours(codes: np.ndarray, steps: np.ndarray, sh0: np.ndarray, shN: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        step = (1 << codes[CLASS, index]) * steps[5]
        _rgb(codes[LUMA, index], codes[CHROMA_O, index], codes[CHROMA_G, index], step / SH_C0, sh0[index, 0])
        step = (1 << codes[CLASS, index]) * steps[6]
        for place in range(shN.shape[1]):
            at = SH + 3 * place
            _rgb(codes[at, index], codes[at + 1, index], codes[at + 2, index], step, shN[index, place])


@kernel
def _rgb(luma: int, chroma_o: int, chroma_g: int, step: float, out: np.ndarray) -> None:
    base = luma - chroma_g
    out[0] = (base + chroma_o) * step
    out[1] = (luma + chroma_g) * step
    out[2] = (base - chroma_o) * step

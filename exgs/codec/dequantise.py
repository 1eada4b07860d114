"""Integer columns to Gaussians: where floating point begins."""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import inlined, kernel, unsigned, wide
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
    half, step = 0.5 * steps[0], steps[4] * 0.0625
    below = wide(steps[7])
    for index in range(codes.shape[1]):
        for axis in range(3):
            means[index, axis] = steps[1 + axis] + codes[X + axis, index] * half
        drop_2, drop_3 = wide(codes[DROP_2, index]), wide(codes[DROP_3, index])
        bits = min(max(below - codes[CLASS, index], 0), MAX_FINE_BITS)
        long = wide(codes[SCALE, index])
        short = long - drop_2 - drop_3
        middle = _finer(long - drop_2, codes[FINE + 1, index], bits) * step
        long, short = (
            _finer(long, codes[FINE, index], bits) * step,
            _finer(short, codes[FINE + 2, index], bits) * step,
        )
        pole = codes[FACE, index]
        first, last = _others(pole)
        prolate = drop_2 > drop_3
        log_scales[index, unsigned(pole)] = long if prolate else short
        log_scales[index, unsigned(first)] = middle if prolate else long
        log_scales[index, unsigned(last)] = short if prolate else middle
        turn(codes, index, angles, quats)


@inlined
def _others(axis: int) -> tuple[int, int]:
    """The two axes after ``axis``, in turn."""
    return (axis + 1 if axis < 2 else 0), (axis - 1 if axis > 0 else 2)


@inlined
def _finer(value: int, further: int, bits: int) -> int:
    """Sixteenths of a step: the middle of what ``bits`` further bits leave of the cell about ``value``."""
    return 16 * value - 8 + ((2 * further + 1) << (MAX_FINE_BITS - bits))


@inlined
def turn(codes: np.ndarray, index: int, angles: tuple[np.ndarray, ...], quats: np.ndarray) -> None:
    """Writes the rotation of splat ``index``: first the spin, then straight to the pole."""
    tangents, cosines, sines = angles
    pole_bits, spin_bits = wide(codes[POLE_BITS, index]), wide(codes[SPIN_BITS, index])
    u = tangents[unsigned(_halves(codes[POLE_U, index], pole_bits, _HALVES // 2))]
    v = tangents[unsigned(_halves(codes[POLE_V, index], pole_bits, _HALVES // 2))]
    angle = _halves(codes[SPIN, index], spin_bits if spin_bits > 0 else -1, 0)
    cosine, sine = cosines[unsigned(angle)], sines[unsigned(angle)]
    length = np.sqrt(1.0 + u * u + v * v)
    scale = 1.0 / np.sqrt(2.0 * length * (length + 1.0))
    pole = codes[FACE, index]
    first, last = _others(pole)
    quats[index, 0] = (length + 1.0) * cosine * scale
    quats[index, unsigned(1 + pole)] = (length + 1.0) * sine * scale
    quats[index, unsigned(1 + first)] = (u * sine - v * cosine) * scale
    quats[index, unsigned(1 + last)] = (u * cosine + v * sine) * scale


@inlined
def _halves(place: int, bits: int, otherwise: int) -> int:
    """The middle of cell ``place`` of 2^bits, in half cells of the finest; ``otherwise`` for bits below 0."""
    return (2 * wide(place) + 1) << (MAX_ROTATION_BITS - bits) if bits >= 0 else wide(otherwise)


@kernel
def _fill_colours(codes: np.ndarray, steps: np.ndarray, sh0: np.ndarray, shN: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        step = (1 << codes[CLASS, index]) * steps[5]
        _rgb(codes[LUMA, index], codes[CHROMA_O, index], codes[CHROMA_G, index], step / SH_C0, sh0[index, 0])
        step = (1 << codes[CLASS, index]) * steps[6]
        for place in range(shN.shape[1]):
            at = SH + 3 * place
            _rgb(codes[at, index], codes[at + 1, index], codes[at + 2, index], step, shN[index, place])


@inlined
def _rgb(luma: int, chroma_o: int, chroma_g: int, step: float, out: np.ndarray) -> None:
    base = luma - chroma_g
    out[0] = (base + chroma_o) * step
    out[1] = (luma + chroma_g) * step
    out[2] = (base - chroma_o) * step

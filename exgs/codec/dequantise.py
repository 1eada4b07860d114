"""Integer columns to Gaussians: where floating point begins."""

from __future__ import annotations

import numpy as np
from numba import njit

from exgs.codec.model import (
    CHROMA_G,
    CHROMA_O,
    CLASS,
    DROP_2,
    DROP_3,
    FACE,
    LUMA,
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
COSINES = np.cos(np.pi * np.arange(_HALVES) / _HALVES)
"""[2048] float64 cosine of every half cell of the finest spin."""
SINES = np.sin(np.pi * np.arange(_HALVES) / _HALVES)
"""[2048] float64 sine of every half cell of the finest spin."""


def opacity_logits(levels: int) -> np.ndarray:
    """[levels] float32 logit of every opacity: evenly spaced from 1/256 to 255/256."""
    opacity = (1.0 + 254.0 * np.arange(levels) / (levels - 1)) / 256.0
    return np.log(opacity / (1.0 - opacity)).astype(np.float32)


def dequantise(codes: np.ndarray, steps: np.ndarray, logits: np.ndarray, frame: Frame) -> Gaussians:
    """Gaussians from ``codes`` [rows, N] int32.

    ``steps`` [7] float64: position step, lattice corner x, y, z, then the steps of class 0 of scale, colour
    and coefficients; ``logits`` [levels] float32.
    """
    count, coefficients = codes.shape[1], (len(codes) - SH) // 3
    means, quats = np.empty((count, 3), np.float32), np.empty((count, 4), np.float32)
    log_scales, sh0 = np.empty((count, 3), np.float32), np.empty((count, 1, 3), np.float32)
    shN = np.empty((count, coefficients, 3), np.float32)
    _fill(codes, steps, (TANGENTS, COSINES, SINES), means, quats, log_scales)
    _fill_colours(codes, steps, sh0, shN)
    return Gaussians(means, quats, log_scales, logits[codes[OPACITY_COLUMN]], sh0, shN, frame)


@njit(nogil=True, cache=True)
def _fill(
    codes: np.ndarray,
    steps: np.ndarray,
    angles: tuple[np.ndarray, ...],
    means: np.ndarray,
    quats: np.ndarray,
    log_scales: np.ndarray,
) -> None:
    axes = np.empty((3, 3), np.float64)
    for index in range(codes.shape[1]):
        for axis in range(3):
            means[index, axis] = steps[1 + axis] + codes[X + axis, index] * (0.5 * steps[0])
        step = (1 << codes[CLASS, index]) * steps[4]
        log_scales[index, 0] = codes[SCALE, index] * step
        log_scales[index, 1] = (codes[SCALE, index] - codes[DROP_2, index]) * step
        log_scales[index, 2] = (codes[SCALE, index] - codes[DROP_2, index] - codes[DROP_3, index]) * step
        turn_axes(codes, index, angles, axes)
        _quaternion(axes, quats[index])


@njit(nogil=True, cache=True)
def turn_axes(codes: np.ndarray, index: int, angles: tuple[np.ndarray, ...], axes: np.ndarray) -> None:
    """Writes the columns of the rotation: the directions of the longest, the middle and the shortest axis."""
    tangents, cosines, sines = angles
    pole, first = np.zeros(3), np.zeros(3)
    face = codes[FACE, index]
    pole[face] = 1.0
    if codes[POLE_BITS, index] >= 0:
        shift = MAX_ROTATION_BITS - codes[POLE_BITS, index]
        pole[(face + 1) % 3] = tangents[(2 * codes[POLE_U, index] + 1) << shift]
        pole[(face + 2) % 3] = tangents[(2 * codes[POLE_V, index] + 1) << shift]
    length = np.sqrt(pole[0] * pole[0] + pole[1] * pole[1] + pole[2] * pole[2])
    for axis in range(3):
        pole[axis] /= length
    lift = pole[(face + 1) % 3]
    for axis in range(3):
        first[axis] = -lift * pole[axis]
    first[(face + 1) % 3] += 1.0
    length = np.sqrt(first[0] * first[0] + first[1] * first[1] + first[2] * first[2])
    angle = (
        (2 * codes[SPIN, index] + 1) << (MAX_ROTATION_BITS - codes[SPIN_BITS, index])
        if codes[SPIN_BITS, index]
        else 0
    )
    cosine, sine = cosines[angle] / length, sines[angle]
    at_pole, at_first, at_last = (0, 1, 2) if codes[DROP_2, index] > codes[DROP_3, index] else (2, 0, 1)
    for axis in range(3):
        left, right = (axis + 1) % 3, (axis + 2) % 3
        second = (pole[left] * first[right] - pole[right] * first[left]) / length
        axes[axis, at_pole] = pole[axis]
        axes[axis, at_first] = cosine * first[axis] + sine * second
    for axis in range(3):
        left, right = (axis + 1) % 3, (axis + 2) % 3
        a, b = axes[left, at_pole] * axes[right, at_first], axes[right, at_pole] * axes[left, at_first]
        axes[axis, at_last] = a - b


@njit(nogil=True, cache=True)
def _quaternion(m: np.ndarray, out: np.ndarray) -> None:
    """The unit quaternion wxyz of a rotation, by the largest of its four components."""
    trace = m[0, 0] + m[1, 1] + m[2, 2]
    if trace > 0.0:
        double = 2.0 * np.sqrt(trace + 1.0)
        out[0] = 0.25 * double
        out[1] = (m[2, 1] - m[1, 2]) / double
        out[2] = (m[0, 2] - m[2, 0]) / double
        out[3] = (m[1, 0] - m[0, 1]) / double
        return
    i = 0
    if m[1, 1] > m[0, 0]:
        i = 1
    if m[2, 2] > m[i, i]:
        i = 2
    j, k = (i + 1) % 3, (i + 2) % 3
    double = 2.0 * np.sqrt(max(1.0 + m[i, i] - m[j, j] - m[k, k], 1e-12))
    out[0] = (m[k, j] - m[j, k]) / double
    out[1 + i] = 0.25 * double
    out[1 + j] = (m[j, i] + m[i, j]) / double
    out[1 + k] = (m[k, i] + m[i, k]) / double


@njit(nogil=True, cache=True)
def _fill_colours(codes: np.ndarray, steps: np.ndarray, sh0: np.ndarray, shN: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        step = (1 << codes[CLASS, index]) * steps[5]
        _rgb(codes[LUMA, index], codes[CHROMA_O, index], codes[CHROMA_G, index], step / SH_C0, sh0[index, 0])
        step = (1 << codes[CLASS, index]) * steps[6]
        for place in range(shN.shape[1]):
            at = SH + 3 * place
            _rgb(codes[at, index], codes[at + 1, index], codes[at + 2, index], step, shN[index, place])


@njit(nogil=True, cache=True)
def _rgb(luma: int, chroma_o: int, chroma_g: int, step: float, out: np.ndarray) -> None:
    base = luma - chroma_g
    out[0] = (base + chroma_o) * step
    out[1] = (luma + chroma_g) * step
    out[2] = (base - chroma_o) * step

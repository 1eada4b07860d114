"""Gaussians to integer columns."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from exgs.codec.coding import MAX_CLASS_FROM, Coding
from exgs.codec.dequantise import COSINES, SINES, TANGENTS, turn
from exgs.codec.kernel import kernel, wide
from exgs.codec.model import (
    BAND,
    CLASS,
    DROP_2,
    DROP_3,
    FACE,
    FINE,
    LUMA,
    MASK,
    MAX_DROP,
    NEAR,
    NEXT_NEAR,
    OPACITY,
    POLE_BITS,
    POLE_U,
    SCALE,
    SH,
    SPIN,
    SPIN_BITS,
)
from exgs.codec.prediction import band_of, fine_bits, lightness, set_classes
from exgs.codec.turns import prolate, set_turn_bits
from exgs.codec.writing.precision import TYPICAL_CLASS, Precision
from exgs.codec.writing.pyramid import Pyramid
from exgs.codec.writing.rounding import luma_chroma, nearest
from exgs.scene import SH_C0, Gaussians


def quantise(gaussians: Gaussians, coding: Coding, precision: Precision, number: int) -> np.ndarray:
    """[rows, N] int32: everything but the means of ``gaussians``, which are of level ``number``."""
    codes = np.zeros((SH + 3 * gaussians.shN.shape[1], len(gaussians)), np.int32)
    codes[OPACITY] = opacity_codes(gaussians, coding.opacity_levels)
    book = coding.book(number, gaussians.sh_degree)
    shape_codes(gaussians.log_scales, coding.scale_step, precision.flattest, codes)
    set_classes(codes, book)
    _refine(gaussians.log_scales, coding.scale_step, precision.flattest, fine_bits(codes, book), codes)
    codes[NEAR : NEXT_NEAR + 1] = -1
    set_turn_bits(codes, book)
    _turns(gaussians.quats, gaussians.log_scales, (TANGENTS, COSINES, SINES), codes)
    _colours(gaussians.sh0, gaussians.shN, np.array([coding.colour_step, coding.sh_step]), codes)
    return codes


def opacity_codes(gaussians: Gaussians, levels: int) -> np.ndarray:
    """[N] index of the nearest opacity."""
    index = np.round((gaussians.opacities * 256.0 - 1.0) * ((levels - 1) / 254.0))
    return np.clip(index, 0, levels - 1)


def with_classes(coding: Coding, pyramid: Pyramid, precision: Precision) -> Coding:
    """``coding`` with classes that begin where splats of the median weight have the typical one."""
    starts = []
    for number, level in enumerate(pyramid.levels):
        codes = np.zeros((SH, len(level.gaussians)), np.int32)
        codes[OPACITY] = opacity_codes(level.gaussians, coding.opacity_levels)
        shape_codes(level.gaussians.log_scales, coding.scale_step, precision.flattest, codes)
        middle = median_lightness(codes, coding.book(number, 0))
        start = middle + 65536 * (TYPICAL_CLASS + 0.5 + number * math.log2(precision.coarser_levels))
        starts.append(min(max(round(start), -MAX_CLASS_FROM), MAX_CLASS_FROM))
    return replace(coding, class_from=tuple(starts))


def median_lightness(codes: np.ndarray, book: np.ndarray) -> float:
    """Median of ``lightness`` over all splats."""
    return float(np.median(_lightnesses(codes, book)))


@kernel
def _lightnesses(codes: np.ndarray, book: np.ndarray) -> np.ndarray:
    values = np.empty(codes.shape[1], np.int64)
    for index in range(codes.shape[1]):
        values[index] = lightness(codes, index, book)
    return values


@kernel
def _order(scales: np.ndarray, out: np.ndarray) -> None:
    """Writes the axes from the longest to the shortest to ``out``."""
    out[0], out[1], out[2] = 0, 1, 2
    if scales[out[1]] > scales[out[0]]:
        out[0], out[1] = out[1], out[0]
    if scales[out[2]] > scales[out[1]]:
        out[1], out[2] = out[2], out[1]
    if scales[out[1]] > scales[out[0]]:
        out[0], out[1] = out[1], out[0]


@kernel
def shape_codes(log_scales: np.ndarray, step: float, flattest: float, codes: np.ndarray) -> None:
    """Fills SCALE and the drops."""
    axes = np.empty(3, np.int64)
    for index in range(codes.shape[1]):
        scales = log_scales[index]
        _order(scales, axes)
        codes[SCALE, index] = nearest(scales[axes[0]] / step, 0)
        kept = max(scales[axes[1]], scales[axes[0]] - flattest)
        codes[DROP_2, index] = min(max(nearest(codes[SCALE, index] - kept / step, 0), 0), MAX_DROP)
        kept = max(scales[axes[2]], scales[axes[0]] - flattest)
        codes[DROP_3, index] = min(
            max(nearest(codes[SCALE, index] - codes[DROP_2, index] - kept / step, 0), 0), MAX_DROP
        )


@kernel
def _refine(
    log_scales: np.ndarray, step: float, flattest: float, fine: np.ndarray, codes: np.ndarray
) -> None:
    axes = np.empty(3, np.int64)
    for index in range(codes.shape[1]):
        scales = log_scales[index]
        _order(scales, axes)
        value = wide(codes[SCALE, index])
        for place in range(3):
            value -= codes[DROP_2 + place - 1, index] if place else 0
            kept = max(scales[axes[place]], scales[axes[0]] - flattest) / step
            cells = 1 << fine[index]
            codes[FINE + place, index] = min(max(math.floor((kept - value + 0.5) * cells), 0), cells - 1)


@kernel
def _turns(
    quats: np.ndarray, log_scales: np.ndarray, angles: tuple[np.ndarray, ...], codes: np.ndarray
) -> None:
    axes, decoded = np.empty((3, 3)), np.empty((codes.shape[1], 4))
    order = np.empty(3, np.int64)
    for index in range(codes.shape[1]):
        _order(log_scales[index], order)
        _rotation(quats[index], order, axes)
        pole, first = (0, 1) if prolate(codes, index) else (2, 0)
        if codes[POLE_BITS, index] >= 0:
            _pole(codes, index, axes[:, pole])
        spin_bits, codes[SPIN_BITS, index] = codes[SPIN_BITS, index], 0
        turn(codes, index, angles, decoded)
        codes[SPIN_BITS, index] = spin_bits
        along, across = _turned_back(axes[:, first], decoded[index], codes[FACE, index])
        cells = 1 << spin_bits
        codes[SPIN, index] = wide(math.floor(math.atan2(across, along) / math.pi * cells)) & (cells - 1)


@kernel
def _turned_back(axis: np.ndarray, quat: np.ndarray, face: int) -> tuple[float, float]:
    """The two coordinates of ``axis`` across the pole's face, before the rotation ``quat``."""
    w, x, y, z = quat[0], -quat[1], -quat[2], -quat[3]
    tx = 2 * (y * axis[2] - z * axis[1])
    ty = 2 * (z * axis[0] - x * axis[2])
    tz = 2 * (x * axis[1] - y * axis[0])
    turned = (
        axis[0] + w * tx + y * tz - z * ty,
        axis[1] + w * ty + z * tx - x * tz,
        axis[2] + w * tz + x * ty - y * tx,
    )
    return turned[(face + 1) % 3], turned[(face + 2) % 3]


@kernel
def _pole(codes: np.ndarray, index: int, pole: np.ndarray) -> None:
    face = 0
    for axis in range(1, 3):
        if abs(pole[axis]) > abs(pole[face]):
            face = axis
    codes[FACE, index] = face
    cells = 1 << codes[POLE_BITS, index]
    for place in range(2):
        tangent = pole[(face + 1 + place) % 3] / pole[face]
        cell = math.floor((math.atan(tangent) * (4 / math.pi) + 1) / 2 * cells)
        codes[POLE_U + place, index] = min(max(cell, 0), cells - 1)


@kernel
def _rotation(quat: np.ndarray, order: np.ndarray, out: np.ndarray) -> None:
    """Writes the directions of the axes in ``order`` as columns."""
    length = math.sqrt(quat[0] ** 2 + quat[1] ** 2 + quat[2] ** 2 + quat[3] ** 2)
    if length < 1e-20:
        length = 1.0
    w, x, y, z = quat[0] / length, quat[1] / length, quat[2] / length, quat[3] / length
    for place in range(3):
        if order[place] == 0:
            a, b, c = 1 - 2 * (y * y + z * z), 2 * (x * y + w * z), 2 * (x * z - w * y)
        elif order[place] == 1:
            a, b, c = 2 * (x * y - w * z), 1 - 2 * (x * x + z * z), 2 * (y * z + w * x)
        else:
            a, b, c = 2 * (x * z + w * y), 2 * (y * z - w * x), 1 - 2 * (x * x + y * y)
        out[0, place], out[1, place], out[2, place] = a, b, c


@kernel
def _colours(sh0: np.ndarray, shN: np.ndarray, steps: np.ndarray, codes: np.ndarray) -> None:
    for index in range(codes.shape[1]):
        _colour(sh0[index, 0], SH_C0 / (steps[0] * (1 << codes[CLASS, index])), codes, LUMA, index)
        for place in range(shN.shape[1]):
            at = SH + 3 * place
            _colour(shN[index, place], 1.0 / (steps[1] * (1 << codes[CLASS, index])), codes, at, index)
            for channel in range(3):
                if codes[at + channel, index] != 0:
                    codes[MASK, index] |= 1 << channel
                    codes[BAND, index] = band_of(place)


@kernel
def _colour(rgb: np.ndarray, per_step: float, codes: np.ndarray, row: int, index: int) -> None:
    """Fills the three rows from ``row`` on; a unit has ``per_step`` steps."""
    level = codes[CLASS, index]
    luma, chroma_o, chroma_g = luma_chroma(rgb, per_step)
    codes[row, index] = nearest(luma, level)
    codes[row + 1, index] = nearest(chroma_o, level)
    codes[row + 2, index] = nearest(chroma_g, level)

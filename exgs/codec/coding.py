"""The parameters of a file that steer its chunks: steps, shapes of predictions, frequency tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.codec.entropy.bits import fold, unfold
from exgs.codec.entropy.tables import Family, parse_families, serialize_families
from exgs.codec.fields import FieldReader, FieldWriter
from exgs.codec.model import (
    BOOK,
    CLASS_FROM,
    CLASS_SLOPE,
    FAMILIES,
    FINE_BELOW,
    MAX_OPACITIES,
    OPACITY_LEVELS,
    OPACITY_SLOPE,
    PREDICT,
    SH_BANDS,
    SHIFT_FROM,
    SHIFT_SLOPE,
    TURN_THRESHOLDS,
    TURNS,
)

NEVER = 1 << 30
"""A threshold that no difference reaches."""
_MAX_MEAN = 1 << 20
"""Magnitude of the mean of a prediction and of ``Coding.shift_from``."""
MAX_CLASS_FROM = 1 << 30
"""Magnitude of ``Coding.class_from``."""


@dataclass(frozen=True)
class Coding:
    """Everything between a chunk's bytes and its Gaussians that the file itself decides."""

    scale_step: float
    """Step of the log scales."""
    colour_step: float
    """Step of the colour in class 0."""
    sh_step: float
    """Step of the further harmonics' coefficients in class 0."""
    opacity_levels: int
    """Number of opacities, 2 to 256."""
    class_slope: int
    """65536ths of a class by which splats fall for a step of two log scales."""
    opacity_slope: int
    """256ths of a class by which splats fall for an octave of opacity."""
    fine_below: int
    """Class below which log scales gain a bit for each class."""
    shift_slope: int
    """Bits of position lost per 256 steps of log scale."""
    turn_thresholds: tuple[int, ...]
    """At most 16: from which difference of log scales on, in half steps, angles gain a bit each."""
    predictions: tuple[tuple[int, int], ...]
    """Mean, in steps (of colours: those of class 0), and eighths of trust: of scale, luma, chroma o and g."""
    position_steps: tuple[float, ...]
    """Lattice step of each level, in units of the scene."""
    shift_from: tuple[int, ...]
    """Log scale in steps, by level, above which positions lose bits."""
    class_from: tuple[int, ...]
    """65536ths of a class, by level, at no size and no opacity."""

    def book(self, level: int, sh_degree: int) -> np.ndarray:
        """[BOOK] int64 for the kernels, without the tables of the contexts."""
        numbers = np.zeros(BOOK, np.int64)
        numbers[SHIFT_FROM], numbers[SHIFT_SLOPE] = self.shift_from[level], self.shift_slope
        numbers[CLASS_FROM], numbers[CLASS_SLOPE] = self.class_from[level], self.class_slope
        numbers[OPACITY_SLOPE], numbers[FINE_BELOW] = self.opacity_slope, self.fine_below
        for index, pair in enumerate(self.predictions):
            numbers[PREDICT + 2 * index : PREDICT + 2 * index + 2] = pair
        numbers[OPACITY_LEVELS], numbers[SH_BANDS] = self.opacity_levels, sh_degree
        padded = self.turn_thresholds + (NEVER,) * (TURN_THRESHOLDS - len(self.turn_thresholds))
        numbers[TURNS : TURNS + TURN_THRESHOLDS] = padded
        return numbers

    def steps(self, level: int, origin: np.ndarray, base: np.ndarray) -> np.ndarray:
        """[8] float64 for ``dequantise``: a chunk's lattice begins ``base`` [3] steps from ``origin`` [3]."""
        step = self.position_steps[level]
        corner = origin.astype(np.float64) + base * step
        steps = (self.scale_step, self.colour_step, self.sh_step)
        return np.array([step, *corner, *steps, self.fine_below])


def parse_coding(reader: FieldReader, levels: int) -> Coding:
    """Reads what ``serialize_coding`` writes.

    Spec: docs/bitstream.md, Coding
    """
    scale_step, colour_step, sh_step = (_step(reader) for _ in range(3))
    at = reader.offset
    opacity_levels = reader.u8() + 1
    if not 2 <= opacity_levels <= MAX_OPACITIES:
        raise reader.corrupt("M4", "a single opacity", at=at)
    class_slope, opacity_slope = reader.u16(), reader.u8()
    fine_below, shift_slope = reader.u8(), reader.u8()
    at = reader.offset
    count = reader.u8()
    if count > TURN_THRESHOLDS:
        raise reader.corrupt("M5", f"{count} thresholds, at most {TURN_THRESHOLDS}", at=at)
    thresholds = tuple(_bounded(reader, NEVER) for _ in range(count))
    predictions = tuple(_prediction(reader) for _ in range(4))
    position_steps = tuple(_step(reader) for _ in range(levels))
    shift_from = tuple(_signed(reader, _MAX_MEAN) for _ in range(levels))
    class_from = tuple(_signed(reader, MAX_CLASS_FROM) for _ in range(levels))
    return Coding(
        scale_step,
        colour_step,
        sh_step,
        opacity_levels,
        class_slope,
        opacity_slope,
        fine_below,
        shift_slope,
        thresholds,
        predictions,
        position_steps,
        shift_from,
        class_from,
    )


def serialize_coding(writer: FieldWriter, coding: Coding) -> None:
    """Writes ``coding``; its steps must be 32-bit numbers."""
    for step in (coding.scale_step, coding.colour_step, coding.sh_step):
        writer.f32(step)
    writer.u8(coding.opacity_levels - 1)
    writer.u16(coding.class_slope)
    writer.u8(coding.opacity_slope)
    writer.u8(coding.fine_below)
    writer.u8(coding.shift_slope)
    writer.u8(len(coding.turn_thresholds))
    for threshold in coding.turn_thresholds:
        writer.varint(threshold)
    for mean, trust in coding.predictions:
        writer.varint(fold(mean) << 4 | trust)
    for step in coding.position_steps:
        writer.f32(step)
    for start in (*coding.shift_from, *coding.class_from):
        writer.varint(fold(start))


def parse_tables(reader: FieldReader) -> tuple[Family, ...]:
    """The frequency tables of all families."""
    return parse_families(reader, [size for _, size in FAMILIES])


def serialize_tables(writer: FieldWriter, families: tuple[Family, ...]) -> None:
    """Writes the frequency tables of all families."""
    serialize_families(writer, families)


def _step(reader: FieldReader) -> float:
    at = reader.offset
    step = reader.f32()
    if not step > 0:
        raise reader.corrupt("M4", f"step {step}", at=at)
    return step


def _bounded(reader: FieldReader, largest: int) -> int:
    at = reader.offset
    value = reader.varint()
    if value > largest:
        raise reader.corrupt("M4", f"{value}, at most {largest}", at=at)
    return value


def _signed(reader: FieldReader, largest: int) -> int:
    return unfold(_bounded(reader, 2 * largest))


def _prediction(reader: FieldReader) -> tuple[int, int]:
    at = reader.offset
    value = _bounded(reader, 32 * _MAX_MEAN)
    folded, trust = value >> 4, value & 15
    if trust > 8:
        raise reader.corrupt("M4", f"trust of {trust} eighths", at=at)
    return unfold(folded), trust

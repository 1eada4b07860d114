"""Leaves out, Gaussian by Gaussian, the harmonics that cost more bits than they show.

A coefficient is kept as it rounds, brought one step nearer to zero, or left out; bands from some one on, and
channels, are left out as a whole. What decides is the squared error, in steps, plus ``thrift`` for each bit.
Steps follow size and opacity, so a step means about as much in the picture everywhere; where it means more or
less, because a Gaussian stands near to viewers or behind others, its bits cost less or more. Bits are those
of the frequencies with which the symbols of a level come, counted again after each pass.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from exgs.codec.kernel import kernel, wide
from exgs.codec.model import BAND, CLASS, CLASSES, CONTEXTS, DIRECT, MASK, SH, TOKENS
from exgs.codec.model import COEFFICIENT_CONTEXT as FIRST
from exgs.codec.prediction import band_end, band_of, coefficient_context
from exgs.codec.tokens import folded, further_bits, token_of
from exgs.codec.writing.rounding import luma_chroma, nearest
from exgs.codec.writing.spread import Spread, in_turn

PASSES = 2
"""Times that bits are counted and coefficients chosen by them."""
CHROMA_O_ERROR = 2 / 3
"""Squared error of red, green and blue by a step of chroma o, of that by a step of luma or chroma g."""
WEIGHT_POWER = 0.7
"""Power of a Gaussian's weight in the sampled pictures with which its bits get cheaper: in others that weight
is another."""
_CONTEXTS = CONTEXTS - FIRST
"""Of coefficients."""
_PRIOR = 0.3
"""Occurrences that every symbol is given in advance."""


def spare(
    shN: np.ndarray,
    codes: Sequence[np.ndarray],
    step: float,
    thrift: float,
    weight: np.ndarray | None = None,
    *,
    spread: Spread = in_turn,
) -> None:
    """Writes the harmonics of ``codes`` anew, with BAND and MASK.

    Args:
        shN: [N,K,3] coefficients.
        codes: [28+3K,n] int32 of the first n splats, of the next, and so on, with CLASS, and the coefficients
            rounded.
        step: that of the coefficients in class 0.
        thrift: squared error of luma, in steps, that a bit must save; 0 changes nothing.
        weight: [N] blending weight in the pictures, positive; None for one as size and opacity have it.
        spread: shares out the parts of ``codes``.
    """
    if not thrift > 0 or not shN.size:
        return
    edges = np.cumsum([part.shape[1] for part in codes])[:-1]
    prices = _prices(np.concatenate([part[CLASS] for part in codes]), thrift, weight)
    parts = list(zip(np.split(shN, edges), codes, np.split(prices, edges), strict=True))
    for _ in range(PASSES):
        counted = spread(_counted, [(part,) for part in codes])
        bits = tuple(_bits(np.sum(counts, axis=0)) for counts in zip(*counted, strict=True))
        spread(_choose, [(*part, step, bits) for part in parts])


def _prices(levels: np.ndarray, thrift: float, weight: np.ndarray | None) -> np.ndarray:
    """[N] squared error in steps of each splat that a bit must save; ``thrift`` in the middle."""
    if weight is None:
        return np.full(len(levels), thrift)
    worth = weight.astype(np.float64) * 4.0**levels
    return np.asarray(thrift * (np.median(worth) / worth) ** WEIGHT_POWER)


def _bits(counts: np.ndarray) -> np.ndarray:
    """Bits of each symbol by how often each came in its context (the last axis), raw bits of tokens aside."""
    counts = counts + _PRIOR
    return np.asarray(np.log2(counts.sum(axis=-1, keepdims=True) / counts))


def _counted(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How often each coefficient, band and mask comes, each in its context."""
    counts = np.zeros((_CONTEXTS, TOKENS)), np.zeros((CLASSES >> 1, 4)), np.zeros(8)
    _count(codes, *counts)
    return counts


@kernel
def _count(codes: np.ndarray, coefficients: np.ndarray, bands: np.ndarray, masks: np.ndarray) -> None:
    """Counts the symbols of all splats."""
    for index in range(codes.shape[1]):
        level, band, mask = codes[CLASS, index], codes[BAND, index], codes[MASK, index]
        bands[level >> 1, band] += 1
        if band == 0:
            continue
        masks[mask] += 1
        for channel in range(3):
            token = before = wide(0)
            for place in range(band_end(band) if (mask >> channel) & 1 else 0):
                context = coefficient_context(level, channel, band_of(place), token + before) - FIRST
                before = token
                token = token_of(folded(wide(codes[SH + 3 * place + channel, index])))
                coefficients[context, token] += 1


@kernel
def _choose(
    shN: np.ndarray,
    codes: np.ndarray,
    prices: np.ndarray,
    step: float,
    bits: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> None:
    """Finds for each splat the coefficients, the band and the channels of the least cost."""
    values, tried = np.empty((15, 3)), np.empty((15, 3), np.int64)
    kept, dropped = np.empty((3, 4)), np.empty(3)
    bands = band_of(shN.shape[1] - 1)
    for index in range(codes.shape[1]):
        level, thrift = codes[CLASS, index], prices[index]
        _in_steps(shN[index], 1.0 / (step * (1 << level)), values)
        for channel in range(3):
            at = (shN.shape[1], wide(level), channel)
            _try_channel(values, tried, at, bits[0], thrift, (kept, dropped))
        best, band, mask = math.inf, 0, 0
        for top in range(bands + 1):
            for channels in range(1 if top == 0 else 8):
                cost = thrift * (bits[1][level >> 1, top] + (bits[2][channels] if top else 0.0))
                for channel in range(3):
                    cost += kept[channel, top] if (channels >> channel) & 1 else dropped[channel]
                if cost < best and (top == 0) == (channels == 0):
                    best, band, mask = cost, top, channels
        _write(tried, codes, index, band, mask)


@kernel
def _in_steps(rgb: np.ndarray, per_step: float, values: np.ndarray) -> None:
    for place in range(rgb.shape[0]):
        values[place, 0], values[place, 1], values[place, 2] = luma_chroma(rgb[place], per_step)


@kernel
def _try_channel(
    values: np.ndarray,
    tried: np.ndarray,
    at: tuple[int, int, int],
    bits: np.ndarray,
    thrift: float,
    costs: tuple[np.ndarray, np.ndarray],
) -> None:
    """Chooses the coefficients of a channel in turn, as if all bands were kept.

    ``at`` is the number of coefficients, the class and the channel. Writes what the channel costs in all if
    it is kept up to each band, and its error where nothing of it is.
    """
    count, level, channel = at
    kept, dropped = costs
    weight = CHROMA_O_ERROR if channel == 1 else 1.0
    left = 0.0
    for place in range(count):
        left += weight * values[place, channel] ** 2
    dropped[channel] = left
    token = before = wide(0)
    spent = 0.0
    for place in range(count):
        value = values[place, channel]
        left -= weight * value**2
        context = coefficient_context(level, channel, band_of(place), token + before) - FIRST
        before = token
        rounded = nearest(value, level)
        nearer = rounded - (rounded > 0) + (rounded < 0)
        best = math.inf
        for candidate in (rounded, nearer, wide(0)):
            symbol = token_of(folded(candidate))
            raw = further_bits(symbol) if symbol >= DIRECT else 0
            cost = weight * (value - candidate) ** 2 + thrift * (bits[context, symbol] + raw)
            if cost < best:
                best, tried[place, channel], token = cost, candidate, symbol
        spent += best
        if place + 1 == band_end(band_of(place)):
            kept[channel, band_of(place)] = spent + left


@kernel
def _write(tried: np.ndarray, codes: np.ndarray, index: int, band: int, mask: int) -> None:
    codes[BAND, index] = codes[MASK, index] = 0
    for row in range(codes.shape[0] - SH):
        place, channel = row // 3, row % 3
        keeps = place < band_end(band) and (mask >> channel) & 1
        codes[SH + row, index] = tried[place, channel] if keeps else 0
        if codes[SH + row, index] != 0:
            codes[MASK, index] |= 1 << channel
            codes[BAND, index] = band_of(place)

"""Noise from integer hashes: the same on every machine, no tables, no state."""

from __future__ import annotations

import numpy as np


def hashed(first: np.ndarray, second: np.ndarray, seed: np.ndarray | int = 0) -> np.ndarray:
    """Values in [0, 1) that depend on whole numbers only (floats are floored)."""
    mixed: np.ndarray = _bits(first) * np.uint32(0x8DA6B343) + _bits(second) * np.uint32(0xD8163841)
    mixed = mixed + _bits(np.atleast_1d(seed)) * np.uint32(0xCB1AB31F)
    mixed = (mixed ^ (mixed >> np.uint32(16))) * np.uint32(0x7FEB352D)
    mixed = (mixed ^ (mixed >> np.uint32(15))) * np.uint32(0x846CA68B)
    return np.asarray((mixed ^ (mixed >> np.uint32(16))) / 2.0**32)


def value_noise(x: np.ndarray, y: np.ndarray, seed: np.ndarray | int = 0) -> np.ndarray:
    """Smooth noise in [0, 1) with features of size 1."""
    left, low = np.floor(x), np.floor(y)
    across, along = _smooth(x - left), _smooth(y - low)
    bottom = _mix(hashed(left, low, seed), hashed(left + 1, low, seed), across)
    top = _mix(hashed(left, low + 1, seed), hashed(left + 1, low + 1, seed), across)
    return _mix(bottom, top, along)


def layered_noise(x: np.ndarray, y: np.ndarray, seed: np.ndarray | int = 0, octaves: int = 3) -> np.ndarray:
    """Noise in [0, 1) of several sizes, each half as large and half as strong as the one before."""
    total = sum(value_noise(x * 2**i, y * 2**i, seed + 17 * i) / 2**i for i in range(octaves))
    return np.asarray(total / (2 - 2.0 ** (1 - octaves)))


def _bits(values: np.ndarray) -> np.ndarray:
    return (np.floor(values).astype(np.int64) & 0xFFFFFFFF).astype(np.uint32)


def _smooth(part: np.ndarray) -> np.ndarray:
    return part * part * (3 - 2 * part)


def _mix(first: np.ndarray, second: np.ndarray, part: np.ndarray) -> np.ndarray:
    return np.asarray(first + (second - first) * part)

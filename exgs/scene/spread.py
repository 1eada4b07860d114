"""What is spread evenly: some of many, directions, points whose every prefix fills space without clumps."""

from __future__ import annotations

import numpy as np


def evenly(total: int, count: int) -> np.ndarray:
    """[n] int64 ascending indices of ``count`` of ``total`` things, or of all: from the first to the last.

    A single one is the first.
    """
    return np.linspace(0, total - 1, min(count, total)).round().astype(np.int64)


def spread_points(count: int, dimensions: int, seed: int) -> np.ndarray:
    """[count, dimensions] points in [0, 1), an additive recurrence on the roots of x^(d+1) = x + 1.

    The seed shifts the sequence; neighbouring seeds give unrelated shifts.
    """
    root = 2.0
    for _ in range(64):
        root = (1.0 + root) ** (1.0 / (dimensions + 1))
    steps = root ** -np.arange(1.0, dimensions + 1)
    shift = np.random.default_rng(seed).random(dimensions)
    return np.asarray((shift + np.outer(np.arange(1, count + 1), steps)) % 1.0)


def sphere_directions(count: int) -> np.ndarray:
    """[count,3] unit vectors spread over the sphere along a golden spiral."""
    place = np.arange(count) + 0.5
    height = 1 - 2 * place / count
    around = np.pi * (1 + 5**0.5) * place
    flat = np.sqrt(1 - height**2)
    return np.stack([flat * np.cos(around), height, flat * np.sin(around)], axis=1)


def upright_axes(up: np.ndarray) -> np.ndarray:
    """[3,3] rows are two level unit vectors and ``up``, a right-handed frame for bearings around ``up``."""
    first = np.roll(np.abs(up), 1)
    return np.stack([first, np.cross(up, first), up])


def bearing(yaw_rad: np.ndarray, pitch_rad: np.ndarray, up: np.ndarray) -> np.ndarray:
    """[...,3] unit vectors at ``yaw_rad`` around ``up`` and ``pitch_rad`` above the level plane."""
    level = np.cos(pitch_rad)
    parts = np.stack([level * np.cos(yaw_rad), level * np.sin(yaw_rad), np.sin(pitch_rad)], axis=-1)
    return np.asarray(parts @ upright_axes(up))

"""A garden made by rule, to measure coverage in: walkable ground, trees, a table, a house, hills, a sky.

python -m benchmarks.garden OUT.ply [--seed N] [--count N]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from exgs.scene import SH_C0, Frame, Gaussians, write_scene

EYE_M = 1.6
"""Height of a walking head."""
WALK_M = 5.0
"""Radius of the loop around the table that is free of trees."""
_UNITS_PER_METRE = 0.37
Array = np.ndarray


def generate_garden(*, seed: int = 1, count: int = 250_000) -> Gaussians:
    """About ``count`` Gaussians of degree 0, y down; its frame does not tell that a metre is 0.37 units."""
    random = np.random.default_rng(seed)
    parts = [
        _ground(random, int(0.36 * count)),
        *(_tree(random, turn, int(0.024 * count)) for turn in np.arange(14) * 0.449 + random.uniform(0, 6)),
        _table(random, int(0.09 * count)),
        _house(random, int(0.1 * count)),
        _hills(random, int(0.08 * count)),
        _sky(random, int(0.014 * count)),
        _floaters(random, int(0.008 * count)),
    ]
    return Gaussians.concatenate(parts)


def walk(count: int) -> Array:
    """[count,3] eyes along a loop around the table, in units of the scene."""
    turn = 2 * np.pi * (np.arange(count) + 0.3) / count
    radius = WALK_M + 1.6 * np.sin(3 * turn + 1)
    height = EYE_M + 0.15 * np.sin(5 * turn)
    return _UNITS_PER_METRE * np.stack([radius * np.cos(turn), -height, radius * np.sin(turn)], axis=1)


def _surfels(
    random: np.random.Generator, points: Array, normals: Array, size: Array, color: Array
) -> Gaussians:
    """Flat Gaussians at ``points`` [n,3] in metres, ``size`` [n] across, square to ``normals`` [n,3]."""
    count = len(points)
    normals = normals / np.linalg.norm(normals, axis=1, keepdims=True)
    turn = np.column_stack([1 + normals[:, 2], -normals[:, 1], normals[:, 0], np.zeros(count)])
    turn[:, 3] = 1e-3
    log_scales = np.log(_UNITS_PER_METRE * size)[:, None] + random.normal(0, 0.25, (count, 3))
    log_scales[:, 2] -= 2.0
    return Gaussians(
        (_UNITS_PER_METRE * points).astype(np.float32),
        (turn / np.linalg.norm(turn, axis=1, keepdims=True)).astype(np.float32),
        log_scales.astype(np.float32),
        random.normal(2.5, 1.5, count).astype(np.float32),
        ((np.clip(color, 0, 1)[:, None] - 0.5) / SH_C0).astype(np.float32),
        np.zeros((count, 0, 3), np.float32),
        Frame("RDF"),
    )


def _waves(points: Array, period: float) -> Array:
    """[n] smooth pattern in [-1, 1] of about ``period`` metres."""
    x, y, z = 2 * np.pi * points.T / period
    return np.asarray(np.sin(x + 2 * np.sin(0.6 * z)) * np.cos(z + 1.3 * np.sin(0.7 * y + x)))


def _ground(random: np.random.Generator, count: int) -> Gaussians:
    radius = 25 * random.random(count) ** 0.8
    turn = random.uniform(0, 2 * np.pi, count)
    points = np.column_stack([radius * np.cos(turn), np.zeros(count), radius * np.sin(turn)])
    points[:, 1] = -0.12 * _waves(points, 9.0) - 0.03 * random.random(count)
    path = np.abs(radius - WALK_M - np.sin(3 * turn)) < 0.5
    color = np.where(path[:, None], (0.62, 0.55, 0.45), (0.25, 0.45, 0.15))
    color = color + 0.12 * _waves(points, 0.6)[:, None] + random.normal(0, 0.06, (count, 3))
    size = 0.9 * np.maximum(radius, 2.5) ** 0.6 / np.sqrt(count) * 5
    return _surfels(random, points, random.normal((0, -1, 0), 0.3, (count, 3)), size, color)


def _tree(random: np.random.Generator, turn: float, count: int) -> Gaussians:
    distance, height = random.uniform(8.5, 17), random.uniform(4, 7)
    trunk = count // 6
    along, around = random.random(trunk), random.uniform(0, 2 * np.pi, trunk)
    normals = np.column_stack([np.cos(around), 0 * around, np.sin(around)])
    bark = 0.2 * normals + np.column_stack([0 * along, -0.7 * height * along, 0 * along])
    leaves = random.normal(size=(count - trunk, 3))
    leaves *= (random.uniform(0.4, 1, len(leaves)) / np.linalg.norm(leaves, axis=1))[:, None]
    crown = leaves * (0.3 * height, 0.35 * height, 0.3 * height) + (0, -0.8 * height, 0)
    hue = random.uniform(0, 0.15)
    colors = [
        np.array([0.3, 0.22, 0.15]) + 0.08 * _waves(bark, 0.3)[:, None],
        np.array([0.15 + hue, 0.4, 0.1]) + 0.15 * _waves(crown, 0.7)[:, None] - 0.1 * leaves[:, 1:2],
    ]
    points = np.concatenate([bark, crown]) + distance * np.array([np.cos(turn), 0, np.sin(turn)])
    size = np.concatenate([np.full(trunk, 0.05), np.full(len(leaves), 0.09)])
    return _surfels(random, points, np.concatenate([normals, leaves]), size, np.concatenate(colors))


def _board(
    random: np.random.Generator, count: int, low: Array, high: Array, axis: int
) -> tuple[Array, Array]:
    points = random.uniform(low, high, (count, 3))
    points[:, axis] = high[axis]
    return points, np.tile(np.eye(3)[axis], (count, 1))


def _table(random: np.random.Generator, count: int) -> Gaussians:
    top, up = _board(random, count // 2, np.array([-0.9, -0.8, -0.6]), np.array([0.9, -0.75, 0.6]), 1)
    ball = random.normal(size=(count - len(top), 3))
    ball /= np.linalg.norm(ball, axis=1, keepdims=True)
    vase = ball * (0.18, 0.3, 0.18) + (0.1, -1.05, 0)
    points = np.concatenate([top, vase])
    wood = np.array([0.5, 0.33, 0.2]) + 0.12 * _waves(top, 0.12)[:, None]
    glaze = np.array([0.2, 0.3, 0.6]) + 0.35 * np.sign(_waves(vase, 0.1))[:, None]
    return _surfels(
        random, points, np.concatenate([up, ball]), np.full(count, 0.012), np.concatenate([wood, glaze])
    )


def _house(random: np.random.Generator, count: int) -> Gaussians:
    points, normals = _board(random, count, np.array([-6.0, -5, -11]), np.array([6.0, 0, -10]), 2)
    window = (np.abs((points[:, 0] + 6) % 3 - 1.5) < 0.6) & (np.abs((-points[:, 1]) % 2.5 - 1.4) < 0.6)
    brick = np.array([0.55, 0.3, 0.24]) + 0.1 * np.sign(_waves(points, 0.4))[:, None]
    color = np.where(window[:, None], (0.2, 0.25, 0.35), brick)
    return _surfels(random, points, normals, np.full(count, 0.05), color)


def _hills(random: np.random.Generator, count: int) -> Gaussians:
    turn, away = random.uniform(0, 2 * np.pi, count), random.uniform(35, 90, count)
    height = 9 * random.random(count) * (1 + 0.5 * np.sin(4 * turn))
    out = np.column_stack([np.cos(turn), 0 * turn, np.sin(turn)])
    points = away[:, None] * out - height[:, None] * (0, 1, 0)
    color = np.array([0.3, 0.42, 0.3]) + 0.1 * _waves(points, 9.0)[:, None]
    return _surfels(random, points, -out, 0.012 * away, color)


def _sky(random: np.random.Generator, count: int) -> Gaussians:
    out = random.normal(size=(count, 3)) * (1, 1, 1)
    out[:, 1] = -np.abs(out[:, 1])
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    color = np.array([0.45, 0.62, 0.85]) + 0.15 * (1 + _waves(out, 0.7)[:, None])
    return _surfels(random, 220 * out, -out, np.full(count, 6.0), color)


def _floaters(random: np.random.Generator, count: int) -> Gaussians:
    points = random.uniform((-12, -6, -9), (12, -0.5, 12), (count, 3))
    soft = _surfels(
        random, points, random.normal(size=(count, 3)), np.full(count, 0.1), np.full((count, 3), 0.5)
    )
    soft.opacity_logits[:] = -3.0
    return soft


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=250_000)
    args = parser.parse_args()
    write_scene(args.out, generate_garden(seed=args.seed, count=args.count))


if __name__ == "__main__":
    main()

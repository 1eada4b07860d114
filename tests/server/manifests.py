"""Manifests and heads that tests of scheduling play with."""

from __future__ import annotations

import numpy as np

from exgs.codec import ChunkInfo
from exgs.scene.outlook import View


def chunk(
    level: int,
    parent: int = -1,
    *,
    centre: tuple[float, ...] = (0.0, 0.0, 0.0),
    half: float = 0.5,
    importance: float = 1.0,
    splats: int = 100,
    size: int = 1000,
) -> ChunkInfo:
    """One entry; ids are its place in the list."""
    at = np.array(centre, np.float64)
    return ChunkInfo(
        id=0, level=level, tile=0, parent=parent, first=0, replaced=0, count=splats, runs=(splats,), offset=0,
        size_bytes=size, base=(0, 0, 0), bits=(0, 0, 0), extent=(1, 1, 1), importance=importance,
        bounds_min=(at - half).astype(np.float32), bounds_max=(at + half).astype(np.float32),
    )  # fmt: skip


def manifest(seed: int, levels: int) -> list[ChunkInfo]:
    """A random tree: coarsest level first, as in a file."""
    rng = np.random.default_rng(seed)
    chunks: list[ChunkInfo] = []
    before = [-1]
    for level in range(levels - 1, -1, -1):
        start = len(chunks)
        for parent in before:
            for _ in range(rng.integers(1, 4)):
                where = tuple(rng.normal(scale=5, size=3))
                gain, splats = float(rng.gamma(1.0)) * 2.0**level, int(rng.integers(1, 300))
                size = int(rng.integers(20, 3000))
                chunks.append(chunk(level, parent, centre=where, importance=gain, splats=splats, size=size))
        before = list(range(start, len(chunks)))
    return chunks


def looking(direction: np.ndarray, position: np.ndarray | None = None, fov: float = 1.2) -> View:
    """A head at rest that looks along ``direction``."""
    forward = direction / np.linalg.norm(direction)
    right = np.cross(forward, [0.3, 0.9, 0.1])
    right /= np.linalg.norm(right)
    turn = np.stack([right, np.cross(forward, right), forward])
    return View(np.zeros(3) if position is None else position, turn, fov, fov)

"""Small random pyramids for the tests of the bitstream."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exgs.codec import Level, Pyramid
from exgs.codec.limits import MAX_RUNS
from exgs.codec.writing.cutting import Cut
from exgs.scene import SH_COEFFICIENTS, Frame, Gaussians, StartView


def random_gaussians(count: int, *, seed: int, degree: int = 0, frame: Frame | None = None) -> Gaussians:
    """Discs, needles and balls near a wavy surface, with smooth colours and a few far outliers."""
    rng = np.random.default_rng(seed)
    flat = rng.uniform(-2, 2, (count, 2))
    height = np.sin(2 * flat[:, :1]) * np.cos(flat[:, 1:]) + rng.normal(0, 0.02, (count, 1))
    means = np.concatenate([flat, height], axis=1)
    means[rng.random(count) < 0.01] *= 20
    scales = rng.normal(-3.5, 0.7, (count, 3)) - rng.choice([0.0, 0.0, 3.0], (count, 3))
    colour = np.sin(means) * 0.8 + rng.normal(0, 0.2, (count, 3))
    sharp = np.where(rng.random((count, 1, 1)) < 0.5, 0.4, 0.02)
    return Gaussians(
        means=means.astype(np.float32),
        quats=(rng.normal(size=(count, 4)) * 3).astype(np.float32),
        log_scales=scales.astype(np.float32),
        opacity_logits=rng.normal(0.5, 2.5, count).astype(np.float32),
        sh0=colour[:, None].astype(np.float32),
        shN=(rng.normal(size=(count, SH_COEFFICIENTS[degree], 3)) * sharp).astype(np.float32),
        frame=frame or Frame(),
    )


def in_many_runs(cuts: list[Cut]) -> list[Cut]:
    """``cuts`` with as many runs as a chunk may have, some of them empty."""
    split = []
    for piece in cuts:
        parts = [len(part) for run in piece.runs for part in np.array_split(np.arange(run), 7)]
        split.append(replace(piece, runs=tuple(parts) + (0,) * (MAX_RUNS - len(parts))))
    return split


def random_pyramid(
    *counts: int, seed: int, degree: int = 0, frame: Frame | None = None, start: StartView | None = None
) -> Pyramid:
    """Levels of ``counts`` splats, finest first; children lie near their parents, some parents have none."""
    rng = np.random.default_rng(seed)
    parts = [random_gaussians(n, seed=seed + i, degree=degree, frame=frame) for i, n in enumerate(counts)]
    levels = []
    for index, part in enumerate(parts):
        parents = None
        if index + 1 < len(parts):
            coarser = parts[index + 1].means[: max(1, int(len(parts[index + 1]) * 0.9))]
            gaps = np.abs(part.means[:, None, 0] - coarser[None, :, 0])
            parents = gaps.argmin(axis=1).astype(np.int32)
        importance = rng.random(len(part)).astype(np.float32)
        levels.append(Level(part, parents, importance))
    return Pyramid(tuple(levels), start)

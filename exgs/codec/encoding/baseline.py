"""The method ``exgs``, as published: significance, sampling by voxels, amplification. Our baseline.

Source: arXiv 2509.24758, Universal Gaussian Compression.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exgs.codec.encoding.amplify import amplify
from exgs.codec.encoding.rate import BALANCED, LEAST_SPLAT_BYTES, Fit, fewer, fit_precision
from exgs.codec.encoding.survey import Survey
from exgs.codec.encoding.task import Outcome, Task
from exgs.codec.encoding.voxels import voxels
from exgs.codec.errors import EncodeError
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.codec.writing.serializer import serialize_measured
from exgs.scene import Gaussians
from exgs.scene.gaussians import VALUES

FP16_BYTES = 28
"""Bytes of one Gaussian as published: 14 FP16 values, colour without further harmonics."""
SPLATS_PER_VOXEL = 3
"""Kept Gaussians per occupied voxel that the size of the voxels aims at."""
ROUNDS = 12
"""Attempts to find how many Gaussians fit."""
NEARLY = 1.1
"""A file of at most so many budgets at the balanced precision is made to fit by its steps."""
FINE = 1 / 4
"""Factor on the steps of files whose own storage counts as half precision: finer than what that rounds."""
_SHARE_TRIALS = 40
"""Halvings of the share that is kept of every voxel."""


def encode_exgs(task: Task) -> Outcome:
    """Prunes to what the budget holds by the storage asked for; the file is coded as finely as it may.

    Raises:
        EncodeError: the budget is too small.
    """
    count = max(1, task.budget_bytes // FP16_BYTES)
    amplified = task.config.amplify
    if task.config.storage == "ugc":
        count = min(len(task.gaussians), int(task.budget_bytes / LEAST_SPLAT_BYTES))
    for _ in range(ROUNDS):
        sparse = prune(task.gaussians, task.views, count, amplified=amplified)
        task.tell("coding", 0.85)
        pyramid = Pyramid((Level(sparse, None, np.ones(len(sparse), np.float32)),), task.start)
        if task.config.storage == "fp16":
            fit = fit_precision(pyramid, task.budget_bytes, start=FINE, finest=FINE)
        else:
            fit = _at_balance(pyramid, task.budget_bytes)
        if fit.fits:
            return Outcome(pyramid, fit, FP16_BYTES * len(sparse) if task.config.storage == "fp16" else None)
        if count == 1:
            break
        count = fewer(count, task.budget_bytes / len(fit.file.data))
    raise EncodeError(f"the budget is too small for any scene: {len(fit.file.data)} bytes are the least")


def _at_balance(pyramid: Pyramid, budget_bytes: int) -> Fit:
    """Within the budget at nearly the balanced precision; else what that precision takes."""
    file = serialize_measured(pyramid, BALANCED)
    if pyramid.shown > 1 and len(file.data) > budget_bytes * NEARLY:
        return Fit(file, 1.0, fits=False)
    return fit_precision(pyramid, budget_bytes, finest=1.0)


def prune(gaussians: Gaussians, views: Survey, count: int, *, amplified: bool) -> Gaussians:
    """``count`` of the Gaussians (or all there are), without further harmonics, in FP16 values."""
    kept = sample_by_voxel(gaussians.means, views.significance, min(count, len(gaussians)))
    sparse = gaussians.select(kept).with_sh_degree(0)
    if amplified and len(kept) < len(gaussians):
        sparse = amplify(gaussians, kept, views)
    return as_fp16(sparse)


def sample_by_voxel(means: np.ndarray, score: np.ndarray, count: int) -> np.ndarray:
    """[count] int64 indices, ascending: of each voxel V the floor(|V| rho) best by ``score``, at least one.

    The share rho is the largest that stays within ``count``; what is left goes to the best of the others.
    Voxels are sized so that about ``SPLATS_PER_VOXEL`` of the kept share one.
    """
    voxel = voxels(means, max(1, count // SPLATS_PER_VOXEL))
    population = np.bincount(voxel)
    order = np.lexsort([-score, voxel])
    first = np.concatenate([[0], np.cumsum(population)[:-1]])
    rank = np.empty(len(means), np.int64)
    rank[order] = np.arange(len(means)) - first[voxel[order]]
    low, high = 0.0, 1.0
    for _ in range(_SHARE_TRIALS):
        rho = 0.5 * (low + high)
        taken = np.maximum(1, np.floor(population * rho)).sum()
        low, high = (rho, high) if taken <= count else (low, rho)
    keep = rank < np.maximum(1, np.floor(population * low))[voxel]
    spare = count - int(keep.sum())
    if spare > 0:
        others = np.flatnonzero(~keep)
        keep[others[np.argsort(-score[others], kind="stable")[:spare]]] = True
    return np.flatnonzero(keep)


def as_fp16(gaussians: Gaussians) -> Gaussians:
    """The same Gaussians with every value rounded to half precision, as the published storage keeps them."""
    largest = float(np.finfo(np.float16).max)
    rounded = {
        name: np.clip(getattr(gaussians, name), -largest, largest).astype(np.float16).astype(np.float32)
        for name in VALUES
    }
    return replace(gaussians, **rounded)

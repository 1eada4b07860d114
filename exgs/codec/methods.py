"""The two methods: ``ugc`` merges and refits, ``exgs`` prunes as published."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.baseline import FP16_BYTES, prune
from exgs.codec.decoder import decode
from exgs.codec.errors import EncodeError
from exgs.codec.fidelity import mean_psnr
from exgs.codec.merging import Clusters, reduce
from exgs.codec.pyramid import Level, Pyramid
from exgs.codec.rate import BALANCED, COARSEST, Fit, fit_precision
from exgs.codec.refit import HELD_OUT, refit_colors
from exgs.codec.serialize import serialize
from exgs.codec.simplify import BRANCHING, Layer, build_layers, snapshot, to_pyramid, with_degree
from exgs.codec.simplify import COARSEST as COARSEST_COUNT
from exgs.codec.task import Outcome, Task

LEAST_SPLAT_BYTES = 3.0
"""No Gaussian is coded in fewer bytes: what a budget can hold at most."""
ROUNDS = 6
"""Attempts to find how many Gaussians fit."""
TRIAL_VIEWS = 24
"""Views by which the degrees of the harmonics are compared."""
FINE = 1 / 4
"""Factor on the steps for ``exgs``, whose own storage is half precision."""


@dataclass(frozen=True, eq=False)
class _Plan:
    """How many Gaussians at which degree."""

    clusters: Clusters
    degree: int
    psnr_db: float


def encode_ugc(task: Task) -> Outcome:
    """Merges to what the budget holds, makes coarser levels, refits them all and codes them."""
    plan = _choose(task)
    while True:
        layers = with_degree(build_layers(plan.clusters.copy(), task.config.levels), plan.degree)
        if task.config.refit:
            layers = _refit(task, layers, plan.degree)
        task.tell("coding", 0.85)
        pyramid = replace(to_pyramid(layers), start=task.start)
        fit = fit_precision(pyramid, task.budget)
        if fit.fits:
            return Outcome(pyramid, fit)
        _shrink(plan.clusters, task.budget / len(fit.file.data), len(fit.file.data))


def _refit(task: Task, layers: list[Layer], degree: int) -> list[Layer]:
    fitted = []
    for number, layer in enumerate(layers):
        task.tell("refit", 0.5 + 0.35 * number / len(layers))
        gaussians = refit_colors(layer.gaussians, task.views, task.rasterizer, degree=degree)
        fitted.append(replace(layer, gaussians=gaussians))
    return fitted


def _shrink(clusters: Clusters, share: float, least_bytes: int) -> None:
    """Merges until at most ``share`` of the clusters are left; there must be two at least."""
    if clusters.count == 1:
        raise EncodeError(f"the budget is too small for any scene: {least_bytes} bytes are the least")
    reduce(clusters, max(1, min(clusters.count - 1, int(clusters.count * share * 0.98))))


def _choose(task: Task) -> _Plan:
    """Tries each degree of the harmonics at the count that then fits; the views that no fit sees decide."""
    assert task.tree is not None
    clusters = Clusters.whole(task.tree)
    most = int(task.budget / LEAST_SPLAT_BYTES)
    if most < clusters.count:
        reduce(clusters, max(1, most))
    best: _Plan | None = None
    for degree in range(task.highest_degree + 1):
        task.tell("simplification", 0.2 + 0.3 * degree / (task.highest_degree + 1))
        _fit_count(clusters, task, degree)
        if task.highest_degree == 0:
            return _Plan(clusters, 0, 0.0)
        psnr = _try(task, clusters, degree)
        if best is None or psnr > best.psnr_db:
            best = _Plan(clusters.copy(), degree, psnr)
    assert best is not None
    return best


def _try(task: Task, clusters: Clusters, degree: int) -> float:
    """PSNR [dB] of the clusters at ``degree``, coded and decoded, over views left out of a short refit."""
    layer = snapshot(clusters)
    gaussians = layer.gaussians.with_sh_degree(degree)
    views = task.views.thinned(TRIAL_VIEWS)
    if task.config.refit:
        gaussians = refit_colors(gaussians, views, task.rasterizer, degree=degree, steps=2)
    coded = serialize(Pyramid((Level(gaussians, None, layer.presence),)), BALANCED)
    held_out = list(range(HELD_OUT - 1, len(views.cameras), HELD_OUT))
    return mean_psnr(decode(coded), views, task.rasterizer, only=held_out or None)


def _fit_count(clusters: Clusters, task: Task, degree: int) -> None:
    """Merges until the clusters take about the budget at the balanced precision, coarser levels included."""
    for _ in range(ROUNDS):
        layer = with_degree([snapshot(clusters)], degree)[0]
        pyramid = Pyramid((Level(layer.gaussians, None, layer.presence),))
        size = len(serialize(pyramid, BALANCED))
        room = task.budget / (size * _overhead(clusters.count, task.config.levels))
        if room >= 0.98 or clusters.count == 1:
            return
        # Fewer Gaussians lie farther apart and take more bits each: go most of the way, look again.
        reduce(clusters, max(1, int(clusters.count * max(room, 0.05) ** 0.97)))


def _overhead(count: int, levels: int) -> float:
    """Bytes of all levels over those of the finest, by counts."""
    total, level = 1.0, 1
    share = 1.0
    while level < levels and count * share > COARSEST_COUNT:
        share /= BRANCHING
        total += share
        level += 1
    return total


def encode_exgs(task: Task) -> Outcome:
    """Prunes to what the budget holds by the storage asked for; the file is coded as finely as it may."""
    count = max(1, task.budget // FP16_BYTES)
    amplified = task.config.amplify
    if task.config.storage == "ugc":
        count = min(len(task.gaussians), int(task.budget / LEAST_SPLAT_BYTES))
    for _ in range(ROUNDS + 6):
        sparse = prune(task.gaussians, task.views, count, amplified=amplified)
        task.tell("coding", 0.85)
        pyramid = Pyramid((Level(sparse, None, np.ones(len(sparse), np.float32)),), task.start)
        if task.config.storage == "fp16":
            fit = fit_precision(pyramid, task.budget, start=FINE, finest=FINE)
        else:
            fit = _at_balance(pyramid, task.budget)
        if fit.fits:
            return Outcome(pyramid, fit, FP16_BYTES * len(sparse) if task.config.storage == "fp16" else None)
        if count == 1:
            break
        count = max(1, min(count - 1, int(count * (task.budget / len(fit.file.data)) ** 0.97)))
    raise EncodeError(f"the budget is too small for any scene: {len(fit.file.data)} bytes are the least")


def _at_balance(pyramid: Pyramid, budget: int) -> Fit:
    """At the balanced precision if that fits within a tenth, else not at all."""
    fit = fit_precision(pyramid, budget, finest=1.0)
    return replace(fit, fits=fit.fits and (fit.factor < 1.15 or fit.factor >= COARSEST))

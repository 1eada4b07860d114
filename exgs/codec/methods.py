"""The two methods: ``ugc`` merges and refits, ``exgs`` prunes as published."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.baseline import FP16_BYTES, prune
from exgs.codec.carrying import carry, lift, likely_count, reaches, remember
from exgs.codec.compensation import compensate
from exgs.codec.decoder import decode
from exgs.codec.errors import EncodeError
from exgs.codec.finetune import PICTURE, finetune, touch_up
from exgs.codec.gains import blamed_error, importance
from exgs.codec.merging import Clusters, reduce, to_gaussians
from exgs.codec.pyramid import Level, Pyramid
from exgs.codec.rate import BALANCED, Fit, fit_precision
from exgs.codec.refit import refit_colors
from exgs.codec.serializer import serialize, serialize_measured
from exgs.codec.simplify import Tree, grow, presence, to_pyramid
from exgs.codec.task import Outcome, Task
from exgs.codec.weighing import weighed
from exgs.scene import Gaussians

LEAST_SPLAT_BYTES = 3.0
"""No Gaussian is coded in fewer bytes: what a budget can hold at most."""
ROUNDS = 6
"""Attempts to find how many Gaussians fit."""
SAMPLE, STRETCHES = 96_000, 8
"""Gaussians by which the bytes of many are estimated, and the stretches of neighbours that they come from."""
FEW = 0.001
"""Share of the Gaussians that must keep a band of harmonics for the file to have it."""
WEIGHING_VIEWS = 32
"""Views that tell how much of the pictures each Gaussian is."""
COMPENSATIONS = 2
"""Times that colours are fitted to what became of everything else, where there are harmonics."""
COLOUR_STEPS = 2
"""Steps of the fit of colours that comes before fine-tuning."""
COLOUR_VIEWS = 64
"""Views by which colours are fitted: neighbouring ones tell them much the same."""
COARSE_DRAWS, COARSE_WORK = 400, 16_000_000
"""Bounds of the draws by which each coarser picture is fitted, and of the Gaussians drawn for it."""
BLAME_VIEWS = 32
"""Views that tell where a coarser picture is wrong."""
CARRIED_VIEWS = 8
"""Views that order the coarser pictures where a fit is carried over."""
CARRIED_COLOURS, FEWEST_COLOUR_VIEWS = 4_000_000, 24
"""Gaussians looked at in all to compensate there, and views below which it is left out."""
TREE_SHARE = 1.2
"""Bytes of a tree over those of its leaves."""
NEARLY = 1.1
"""A file of at most so many budgets at the balanced precision is made to fit by its steps."""
FINE = 1 / 4
"""Factor on the steps for ``exgs``, whose own storage is half precision."""


@dataclass(frozen=True, eq=False)
class _Plan:
    """How many Gaussians at which degree."""

    clusters: Clusters
    degree: int


def encode_ugc(task: Task) -> Outcome:
    """Merges to what the budget holds, grows the tree of coarser pictures, refits and codes them."""
    plan = _choose(task)
    while True:
        tree = grow(plan.clusters.copy(), task.config.levels)
        tree = replace(tree, gaussians=tree.gaussians.with_sh_degree(plan.degree))
        carried = task.fitted is not None and reaches(task.fitted, plan.clusters)
        tree, seen = _carried(task, plan, tree) if carried else _refit(task, plan, tree)
        task.tell("coding", 0.85)
        pyramid = replace(to_pyramid(tree, importance(tree, seen)), start=task.start)
        if plan.degree:
            views = task.views.thinned(CARRIED_VIEWS if carried else WEIGHING_VIEWS)
            pyramid = weighed(pyramid, views, task.rasterizer)
        fit = fit_precision(pyramid, task.budget)
        if fit.fits:
            if carried or not task.config.refit:
                count = CARRIED_COLOURS // plan.clusters.count if carried else 0
                outcome = Outcome(pyramid, fit)
                return _compensated(task, outcome, 1, count) if count >= FEWEST_COLOUR_VIEWS else outcome
            finest = tree.gaussians.select(slice(0, plan.clusters.count))
            known = remember(plan.clusters, finest, len(fit.file.data), fit.factor)
            rounds = COMPENSATIONS if plan.degree else 1
            return _compensated(task, Outcome(pyramid, fit, fitted=known), rounds, COLOUR_VIEWS)
        _shrink(plan.clusters, task.budget / len(fit.file.data), len(fit.file.data))


def _refit(task: Task, plan: _Plan, tree: Tree) -> tuple[Tree, np.ndarray]:
    """The tree fitted picture by picture, and the error [N] that each Gaussian is to blame for there.

    The finest picture comes first; of a coarser one only what is born in it is fitted.
    """
    seen = np.zeros(len(tree.parents))
    for number in range(tree.pictures):
        task.tell("refit", 0.5 + 0.35 * number / tree.pictures)
        shown = tree.shown(number)
        fresh = tree.born[shown] == number
        if not fresh.any():
            continue
        gaussians = tree.gaussians.select(shown)
        if task.config.refit:
            if number == 0:
                few = task.views.thinned(COLOUR_VIEWS)
                gaussians = refit_colors(
                    gaussians, few, task.rasterizer, degree=plan.degree, steps=COLOUR_STEPS
                )
            draws = None if number == 0 else min(COARSE_DRAWS, COARSE_WORK // (len(shown) + PICTURE))
            gaussians = finetune(
                gaussians, task.views, task.rasterizer, degree=plan.degree, free=fresh, draws=draws
            )
            tree = tree.with_values(shown[fresh], gaussians.select(fresh))
        if number > 0:
            few = task.views.thinned(BLAME_VIEWS)
            seen[shown[fresh]] = blamed_error(gaussians, few, task.rasterizer)[fresh]
    return tree, seen


def _compensated(task: Task, outcome: Outcome, rounds: int, count: int) -> Outcome:
    """The outcome with colours that make up for what quantising did, where that still fits the budget."""
    views = task.views.thinned(min(count, COLOUR_VIEWS))
    for _ in range(rounds):
        pyramid = compensate(outcome.pyramid, outcome.fit.file, views, task.rasterizer)
        fit = fit_precision(pyramid, task.budget, start=outcome.fit.factor)
        if not fit.fits:
            break
        outcome = replace(outcome, pyramid=pyramid, fit=fit)
    return outcome


def _carried(task: Task, plan: _Plan, tree: Tree) -> tuple[Tree, np.ndarray]:
    """As ``_refit``, by what was found out for another budget."""
    assert task.fitted is not None
    merged, views = tree.gaussians, task.views.thinned(CARRIED_VIEWS)
    seen = np.zeros(len(tree.parents))
    for number in range(tree.pictures):
        shown = tree.shown(number)
        fresh = tree.born[shown] == number
        nodes = shown[fresh]
        if number == 0:
            found = carry(task.fitted, plan.clusters, merged.select(nodes))
            found = touch_up(found, task.views, task.rasterizer, degree=plan.degree)
            tree = tree.with_values(nodes, found)
        elif len(nodes):
            tree = tree.with_values(nodes, lift(merged, tree.gaussians, tree.parents, nodes))
            seen[nodes] = blamed_error(tree.gaussians.select(shown), views, task.rasterizer)[fresh]
    return tree, seen


def _shrink(clusters: Clusters, share: float, least_bytes: int) -> None:
    """Merges until at most ``share`` of the clusters are left; there must be two at least."""
    if clusters.count == 1:
        raise EncodeError(f"the budget is too small for any scene: {least_bytes} bytes are the least")
    reduce(clusters, max(1, min(clusters.count - 1, int(clusters.count * share * 0.98))))


def _choose(task: Task) -> _Plan:
    """The count that fits where each Gaussian keeps the harmonics that pay, and the degree that takes."""
    assert task.tree is not None
    clusters = Clusters.whole(task.tree)
    if task.fitted is not None and task.fitted.degree <= task.highest_degree:
        reduce(clusters, likely_count(task.fitted, task.budget))
        if reaches(task.fitted, clusters):
            return _Plan(clusters, task.fitted.degree)
        clusters = Clusters.whole(task.tree)
    most = int(task.budget / LEAST_SPLAT_BYTES)
    if most < clusters.count:
        reduce(clusters, max(1, most))
    task.tell("simplification", 0.3)
    coded = _fit_count(clusters, task, task.highest_degree)
    return _Plan(clusters, _worth_while(decode(coded)) if task.highest_degree else 0)


def _worth_while(coded: Gaussians) -> int:
    """The highest degree of harmonics that enough Gaussians keep."""
    for degree in range(coded.sh_degree, 0, -1):
        kept = coded.shN[:, degree**2 - 1 : (degree + 1) ** 2 - 1].any(axis=(1, 2))
        if kept.mean() >= FEW:
            return degree
    return 0


def _fit_count(clusters: Clusters, task: Task, degree: int) -> bytes:
    """Merges until the clusters take about the budget at the balanced precision, coarser levels included.

    Gives the file of the last clusters tried, or of a part of them.
    """
    for _ in range(ROUNDS):
        some = _sample(clusters.count)
        gaussians = to_gaussians(clusters, some).with_sh_degree(degree)
        weight = np.maximum(clusters.mass * clusters.footprint, 1e-30)[some]
        level = Level(gaussians, None, presence(clusters)[some], weight)
        coded = serialize(Pyramid((level,)), BALANCED)
        size = len(coded) * clusters.count / len(gaussians)
        room = task.budget / (size * (TREE_SHARE if task.config.levels > 1 else 1.0))
        if room >= 0.98 or clusters.count == 1:
            break
        # Fewer Gaussians lie farther apart and take more bits each: go most of the way, look again.
        reduce(clusters, max(1, int(clusters.count * max(room, 0.05) ** 0.97)))
    return coded


def _sample(count: int) -> np.ndarray | slice:
    """Clusters whose bytes tell those of all: of many, a few stretches of neighbours in space."""
    stretch = SAMPLE // STRETCHES
    if count <= 2 * SAMPLE:
        return slice(None)
    starts = np.linspace(0, count - stretch, STRETCHES).astype(np.int64)
    return np.asarray((starts[:, None] + np.arange(stretch)).ravel())


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
    """Within the budget at nearly the balanced precision; else what that precision takes."""
    file = serialize_measured(pyramid, BALANCED)
    if pyramid.shown > 1 and len(file.data) > budget * NEARLY:
        return Fit(file, 1.0, fits=False)
    return fit_precision(pyramid, budget, finest=1.0)

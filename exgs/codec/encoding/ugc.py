"""The method ``ugc``: merges to what the budget holds, fits what is left to pictures, and codes it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exgs.codec.encoding.carrying import Fitted, carry, lift, reaches, remember
from exgs.codec.encoding.compensation import compensate
from exgs.codec.encoding.finetune import finetune, touch_up
from exgs.codec.encoding.gains import errors_to_blame, importance
from exgs.codec.encoding.planning import Plan, make_plan, shrink
from exgs.codec.encoding.rate import TOLERANCE, fit_precision
from exgs.codec.encoding.refit import refit_colors
from exgs.codec.encoding.simplify import Tree, grow, to_pyramid
from exgs.codec.encoding.task import MergeTask, Outcome, Task
from exgs.codec.encoding.weighing import weighed
from exgs.codec.writing.precision import Precision
from exgs.codec.writing.pyramid import Pyramid

WEIGHING_VIEWS = 32
"""Views that tell how much of the pictures each Gaussian is."""
COMPENSATIONS = 2
"""Times that colours are fitted to what became of everything else, where there are harmonics."""
COLOUR_VIEWS = 64
"""Views by which colours are fitted: neighbouring ones tell them much the same."""
BLAME_VIEWS = 32
"""Views that tell where a coarser picture is wrong."""
CARRIED_VIEWS = 8
"""Views that order the coarser pictures where a fit is carried over."""
CARRIED_TOLERANCE = 0.02
"""Share of the budget that may stay empty there: each further trial takes as long as ten pictures."""
CARRIED_COLOURS, FEWEST_COLOUR_VIEWS = 4_000_000, 24
"""Gaussians looked at in all to compensate there, and views below which it is left out."""


def encode_ugc(task: MergeTask) -> Outcome:
    """Merges to what the budget holds, grows the tree of coarser pictures, fits and codes them.

    Raises:
        EncodeError: the budget is too small.
    """
    plan = make_plan(task)
    while True:
        known = _reaching(task, plan)
        tree, pyramid = _built(task, plan, known)
        tolerance = CARRIED_TOLERANCE if known else TOLERANCE
        fit = fit_precision(pyramid, task.budget_bytes, plan.precision, tolerance=tolerance)
        if fit.fits:
            outcome = Outcome(pyramid, fit, taken_over="fit" if known else "")
            return _finished_carried(task, plan, outcome) if known else _finished(task, plan, tree, outcome)
        shrink(plan, task.budget_bytes, len(fit.file.data))


def _reaching(task: MergeTask, plan: Plan) -> Fitted | None:
    """The fit for another budget, where it reaches as far as ``plan``."""
    return task.fitted if task.fitted and reaches(task.fitted, plan.clusters) else None


def _built(task: Task, plan: Plan, known: Fitted | None) -> tuple[Tree, Pyramid]:
    """The tree above the clusters of ``plan``, its values fitted or carried over, and the same as levels."""
    tree = grow(plan.clusters.copy(), task.config.levels)
    tree = replace(tree, gaussians=tree.gaussians.with_sh_degree(plan.degree))
    tree, seen = _carried(task, plan, tree, known) if known else _refit(task, plan, tree)
    task.tell("coding", 0.85)
    pyramid = replace(to_pyramid(tree, importance(tree, seen)), start=task.start)
    if plan.degree:
        views = task.views.thinned(CARRIED_VIEWS if known else WEIGHING_VIEWS)
        pyramid = weighed(pyramid, views, task.rasterizer)
    return tree, pyramid


def _finished(task: Task, plan: Plan, tree: Tree, outcome: Outcome) -> Outcome:
    """The outcome of a fit, compensated, with what other budgets can take over of it."""
    if not task.config.refit:
        return outcome
    finest = tree.gaussians.select(slice(0, plan.clusters.count))
    room = task.budget_bytes, len(outcome.fit.file.data)
    known = remember(plan.clusters, finest, room, plan.precision, outcome.fit.factor)
    rounds = COMPENSATIONS if plan.degree else 1
    outcome = replace(outcome, fitted=known)
    return _compensated(task, outcome, plan.precision, rounds=rounds, views=COLOUR_VIEWS, tolerance=TOLERANCE)


def _finished_carried(task: Task, plan: Plan, outcome: Outcome) -> Outcome:
    """The outcome of a fit that was carried over, compensated where that does not take long."""
    views = min(CARRIED_COLOURS // plan.clusters.count, COLOUR_VIEWS)
    if views < FEWEST_COLOUR_VIEWS:
        return outcome
    return _compensated(task, outcome, plan.precision, rounds=1, views=views, tolerance=CARRIED_TOLERANCE)


def _refit(task: Task, plan: Plan, tree: Tree) -> tuple[Tree, np.ndarray]:
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
                gaussians = refit_colors(gaussians, few, task.rasterizer, degree=plan.degree)
            effort = task.config.bounds
            draws = effort.fine_draws(len(shown)) if number == 0 else effort.coarse_draws(len(shown))
            gaussians = finetune(
                gaussians, task.views, task.rasterizer, degree=plan.degree, draws=draws, free=fresh
            )
            tree = tree.with_values(shown[fresh], gaussians.select(fresh))
        if number > 0:
            few = task.views.thinned(BLAME_VIEWS)
            seen[shown[fresh]] = errors_to_blame(gaussians, few, task.rasterizer)[fresh]
    return tree, seen


def _compensated(
    task: Task, outcome: Outcome, precision: Precision, *, rounds: int, views: int, tolerance: float
) -> Outcome:
    """The outcome with colours that make up for what quantising did, where that still fits the budget."""
    few = task.views.thinned(views)
    for _ in range(rounds):
        pyramid = compensate(outcome.pyramid, outcome.fit.file, few, task.rasterizer)
        fit = fit_precision(
            pyramid, task.budget_bytes, precision, start=outcome.fit.factor, tolerance=tolerance
        )
        if not fit.fits:
            break
        outcome = replace(outcome, pyramid=pyramid, fit=fit)
    return outcome


def _carried(task: Task, plan: Plan, tree: Tree, known: Fitted) -> tuple[Tree, np.ndarray]:
    """As ``_refit``, by what was found out for another budget."""
    merged, views = tree.gaussians, task.views.thinned(CARRIED_VIEWS)
    seen = np.zeros(len(tree.parents))
    for number in range(tree.pictures):
        shown = tree.shown(number)
        fresh = tree.born[shown] == number
        nodes = shown[fresh]
        if number == 0:
            found = carry(known, plan.clusters, merged.select(nodes))
            draws = task.config.bounds.touching_draws(len(found))
            found = touch_up(found, task.views, task.rasterizer, degree=plan.degree, draws=draws)
            tree = tree.with_values(nodes, found)
        elif len(nodes):
            tree = tree.with_values(nodes, lift(merged, tree.gaussians, tree.parents, nodes))
            seen[nodes] = errors_to_blame(tree.gaussians.select(shown), views, task.rasterizer)[fresh]
    return tree, seen

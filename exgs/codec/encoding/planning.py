"""How many Gaussians a budget holds, with which steps of quantising and which degree of harmonics."""

from __future__ import annotations

from dataclasses import dataclass

from exgs.codec.decoder import decode
from exgs.codec.encoding.balance import balanced, between
from exgs.codec.encoding.carrying import likely_count, reaches
from exgs.codec.encoding.merging import Clusters, reduce
from exgs.codec.encoding.probing import PROBED, look, single_level, stretches
from exgs.codec.encoding.rate import BALANCED, LEAST_SPLAT_BYTES, fewer
from exgs.codec.encoding.task import MergeTask
from exgs.codec.errors import EncodeError
from exgs.codec.writing.precision import Precision
from exgs.codec.writing.serializer import serialize_measured
from exgs.raster.crew import Crew
from exgs.scene import Gaussians

ROUNDS = 6
"""Attempts to find how many Gaussians fit."""
ENOUGH_ROOM = 0.98
"""Budget over foreseen bytes from which on a count is taken: steps make up for the rest."""
LEAST_ROOM = 0.05
"""The count falls to no less at once: bytes of so few are not known by those of so many."""
SAFETY = 0.98
"""Part of what would fit that is left where a file came out too large."""
LOOKS = 2
"""Times that steps and count are balanced, at most."""
SCENE_SHARE = 0.6
"""Part of the way that steps go from those that suit most scenes to those found to suit this one: what a few
views tell of a scene is not all that will be seen of it."""
MARGIN = 1.25
"""Gaussians from which the count is looked for, in parts of those that the found steps leave room for."""
SAMPLE = 96_000
"""Gaussians by which the bytes of many are estimated."""
FEW = 0.001
"""Share of the Gaussians that must keep a band of harmonics for the file to have it."""
TREE_SHARE = 1.2
"""Bytes of a tree over those of its leaves."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How many Gaussians, how finely and at which degree."""

    clusters: Clusters
    """The cut through the tree of merges that is coded; ``shrink`` moves it on."""
    degree: int
    """Degree of the harmonics that are kept."""
    precision: Precision
    """Steps, ``SCENE_SHARE`` of the way to those at which a byte buys the same wherever it goes."""


def make_plan(task: MergeTask) -> Plan:
    """Steps that suit the scene, the count that fits with them, and the degree of the harmonics that pay.

    All of that is taken over from a fit for another budget where the task has one that reaches so far.
    """
    if task.fitted is not None and task.fitted.degree <= task.highest_degree:
        clusters = Clusters.whole(task.tree)
        reduce(clusters, likely_count(task.fitted, task.budget_bytes))
        if reaches(task.fitted, clusters):
            return Plan(clusters, task.fitted.degree, task.fitted.precision)
    precision, most = _balance(task)
    task.tell("simplification", 0.37)
    clusters, coded = _fit_count(task, most, precision, SAMPLE)
    degree = _worthwhile_degree(decode(coded)) if task.highest_degree else 0
    return Plan(clusters, degree, precision)


def _balance(task: MergeTask) -> tuple[Precision, int]:
    """The steps that suit the scene at its budget, and a count of Gaussians a little above what then fits."""
    most = min(max(1, int(task.budget_bytes / LEAST_SPLAT_BYTES)), len(task.tree))
    precision, count, merging = BALANCED, most, None
    looks = min(LOOKS, task.config.bounds.looks)
    for number in range(looks):
        task.tell("simplification", 0.3 + 0.07 * number / looks)
        clusters, _ = _fit_count(task, count, precision, PROBED)
        if clusters.count == len(task.tree):
            return BALANCED, most  # Nothing to divide: steps become far shorter than those looked at.
        slopes = look(clusters, precision, task, merging)
        merging = slopes.merging
        precision, count = balanced(precision, slopes, 8 * task.budget_bytes / _tree_share(task), most)
    return between(BALANCED, precision, SCENE_SHARE), min(int(MARGIN * count), most)


def shrink(plan: Plan, budget_bytes: int, size_bytes: int) -> None:
    """Merges on by as much as a file of ``size_bytes`` is larger than ``budget_bytes``.

    Raises:
        EncodeError: there is one cluster left only.
    """
    clusters = plan.clusters
    if clusters.count == 1:
        raise EncodeError(f"the budget is too small for any scene: {size_bytes} bytes are the least")
    share = budget_bytes / size_bytes
    reduce(clusters, max(1, min(clusters.count - 1, int(clusters.count * share * SAFETY))))


def _worthwhile_degree(coded: Gaussians) -> int:
    """The highest degree of harmonics that enough Gaussians keep."""
    for degree in range(coded.sh_degree, 0, -1):
        kept = coded.shN[:, degree**2 - 1 : (degree + 1) ** 2 - 1].any(axis=(1, 2))
        if kept.mean() >= FEW:
            return degree
    return 0


def _tree_share(task: MergeTask) -> float:
    return TREE_SHARE if task.config.levels > 1 else 1.0


def _fit_count(task: MergeTask, most: int, precision: Precision, sample: int) -> tuple[Clusters, bytes]:
    """Merges to ``most`` clusters and on until they take about the budget, coarser levels included.

    Gives them and a file at ``precision``, of all or of about ``sample`` of them.
    """
    clusters = Clusters.whole(task.tree)
    reduce(clusters, most)
    for _ in range(ROUNDS):
        some = stretches(clusters.count, sample)
        coded = serialize_measured(single_level(clusters, task, some), precision, Crew().share).data
        size = len(coded) * clusters.count / len(some)
        room = task.budget_bytes / (size * _tree_share(task))
        if room >= ENOUGH_ROOM or clusters.count == 1:
            break
        reduce(clusters, fewer(clusters.count, max(room, LEAST_ROOM)))
    return clusters, coded

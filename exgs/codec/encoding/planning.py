"""How many Gaussians at which degree of harmonics a budget holds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.codec.decoder import decode
from exgs.codec.encoding.carrying import likely_count, reaches
from exgs.codec.encoding.merging import Clusters, reduce, to_gaussians
from exgs.codec.encoding.rate import BALANCED, LEAST_SPLAT_BYTES
from exgs.codec.encoding.simplify import presence
from exgs.codec.encoding.task import Task
from exgs.codec.errors import EncodeError
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.codec.writing.serializer import serialize_measured
from exgs.raster.crew import Crew
from exgs.scene import Gaussians

ROUNDS = 6
"""Attempts to find how many Gaussians fit."""
SAMPLE, STRETCHES = 96_000, 8
"""Gaussians by which the bytes of many are estimated, and the stretches of neighbours that they come from."""
FEW = 0.001
"""Share of the Gaussians that must keep a band of harmonics for the file to have it."""
TREE_SHARE = 1.2
"""Bytes of a tree over those of its leaves."""


@dataclass(frozen=True, eq=False)
class Plan:
    """How many Gaussians at which degree."""

    clusters: Clusters
    """The cut through the tree of merges that is coded; ``shrink`` moves it on."""
    degree: int
    """Degree of the harmonics that are kept."""


def make_plan(task: Task) -> Plan:
    """The count that fits where each Gaussian keeps the harmonics that pay, and the degree that takes."""
    assert task.tree is not None
    clusters = Clusters.whole(task.tree)
    if task.fitted is not None and task.fitted.degree <= task.highest_degree:
        reduce(clusters, likely_count(task.fitted, task.budget))
        if reaches(task.fitted, clusters):
            return Plan(clusters, task.fitted.degree)
        clusters = Clusters.whole(task.tree)
    most = int(task.budget / LEAST_SPLAT_BYTES)
    if most < clusters.count:
        reduce(clusters, max(1, most))
    task.tell("simplification", 0.3)
    coded = _fit_count(clusters, task, task.highest_degree)
    return Plan(clusters, _worthwhile_degree(decode(coded)) if task.highest_degree else 0)


def shrink(plan: Plan, budget: int, size_bytes: int) -> None:
    """Merges on by as much as a file of ``size_bytes`` is larger than ``budget``.

    Raises:
        EncodeError: there is one cluster left only.
    """
    clusters = plan.clusters
    if clusters.count == 1:
        raise EncodeError(f"the budget is too small for any scene: {size_bytes} bytes are the least")
    share = budget / size_bytes
    reduce(clusters, max(1, min(clusters.count - 1, int(clusters.count * share * 0.98))))


def _worthwhile_degree(coded: Gaussians) -> int:
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
        coded = serialize_measured(Pyramid((level,)), BALANCED, Crew().share).data
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

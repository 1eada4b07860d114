"""What a fit found out about one cut through the tree of merges, for another cut."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.encoding.merging import Clusters, moved, to_gaussians
from exgs.codec.writing.precision import Precision
from exgs.scene import Gaussians
from exgs.scene.gaussians import VALUES

REACH = 4.0
"""A fit serves up to so many times more, or fewer, clusters than it was made for."""
SIZE_SLOPE = 0.55
"""Bytes go with the steps to the power of minus this."""
AIM = 0.98
"""Share of a budget that is aimed at: files of large scenes come out a hundredth larger than that, and what
is nearly full need not be tried again."""


@dataclass(frozen=True, eq=False)
class Fitted:
    """A cut of K clusters as it was merged and as it was fitted."""

    first: np.ndarray
    """[K] int32 first leaf of each cluster, ascending."""
    mass: np.ndarray
    """[K] float32 mass of each cluster."""
    merged: Gaussians
    """[K] the clusters as merged, at the degree of the fit."""
    fitted: Gaussians
    """[K] the same, fitted."""
    budget_bytes: int
    """Bytes that the file which they became was allowed."""
    size_bytes: int
    """Bytes of that file."""
    precision: Precision
    """Its balanced steps."""
    factor: float
    """Factor on them."""

    @property
    def degree(self) -> int:
        """Degree of the harmonics that were fitted."""
        return self.fitted.sh_degree


def remember(
    clusters: Clusters, fitted: Gaussians, room: tuple[int, int], precision: Precision, factor: float
) -> Fitted:
    """What a fit of ``clusters`` came to: a file at ``factor`` on ``precision``. ``room`` are the bytes that
    it was allowed, and those it takes."""
    merged = to_gaussians(clusters).with_sh_degree(fitted.sh_degree)
    return Fitted(clusters.first, clusters.mass, merged, fitted, *room, precision, factor)


def reaches(known: Fitted, clusters: Clusters) -> bool:
    """Whether ``clusters`` are near enough to the fitted ones to be worth their corrections."""
    return 1 / REACH <= clusters.count / len(known.first) <= REACH


def likely_count(known: Fitted, budget_bytes: int) -> int:
    """Clusters that take about ``budget_bytes`` at the balanced precision."""
    balanced = known.size_bytes * known.factor**SIZE_SLOPE
    return max(1, int(len(known.first) * AIM * budget_bytes / balanced))


def carry(known: Fitted, clusters: Clusters, gaussians: Gaussians) -> Gaussians:
    """``gaussians``, which are ``clusters`` as merged, with what ``known`` has to say of them.

    A cluster of both cuts takes the fitted values. Any other takes corrections of colour, opacity and size
    from the cluster that it is a part of, or the mean by mass from the clusters that it is made of.
    """
    count, before = clusters.count, len(known.first)
    bands = min(gaussians.shN.shape[1], known.fitted.shN.shape[1])
    found = _corrections(known, bands)
    if count >= before:
        home = moved(clusters.tree, clusters.first, before)
        same = np.bincount(home, minlength=before)[home] == 1
        mine, theirs, found = np.flatnonzero(same), home[same], found[home]
    else:
        home = moved(clusters.tree, known.first, count)
        same = np.bincount(home, minlength=count)[home] == 1
        mine, theirs = home[same], np.flatnonzero(same)
        weight = known.mass.astype(np.float64)
        total = np.bincount(home, weight, count)
        columns = [np.bincount(home, weight * column, count) / total for column in found.T]
        found = np.stack(columns, axis=1).astype(np.float32)
    return _put(_corrected(gaussians, found, bands), known.fitted, mine, theirs)


def _corrections(known: Fitted, bands: int) -> np.ndarray:
    """[K,5+3B] of opacity, size, colour and ``bands`` further harmonics."""
    old, new = known.merged, known.fitted
    return np.concatenate(
        [
            (new.opacity_logits - old.opacity_logits)[:, None],
            (new.log_scales - old.log_scales).mean(axis=1)[:, None],
            (new.sh0 - old.sh0)[:, 0],
            (new.shN - old.shN)[:, :bands].reshape(len(old), -1),
        ],
        axis=1,
    )


def _corrected(gaussians: Gaussians, found: np.ndarray, bands: int) -> Gaussians:
    shN = gaussians.shN.copy()
    shN[:, :bands] += found[:, 5:].reshape(len(found), bands, 3)
    return replace(
        gaussians,
        opacity_logits=gaussians.opacity_logits + found[:, 0],
        log_scales=gaussians.log_scales + found[:, 1:2],
        sh0=gaussians.sh0 + found[:, None, 2:5],
        shN=shN,
    )


def _put(gaussians: Gaussians, fitted: Gaussians, mine: np.ndarray, theirs: np.ndarray) -> Gaussians:
    """``gaussians`` with the values of ``fitted`` [theirs] at [mine]."""
    arrays = {name: getattr(gaussians, name).copy() for name in VALUES}
    bands = min(gaussians.shN.shape[1], fitted.shN.shape[1])
    for name, array in arrays.items():
        if name == "shN":
            array[mine, :bands] = fitted.shN[theirs, :bands]
        else:
            array[mine] = getattr(fitted, name)[theirs]
    return replace(gaussians, **arrays)


def lift(merged: Gaussians, fitted: Gaussians, parents: np.ndarray, nodes: np.ndarray) -> Gaussians:
    """The Gaussians of a tree at ``nodes`` as ``merged``, their colours corrected as their children's were.

    ``parents`` [N] are indices, -1 for none; ``fitted`` [N] differs from ``merged`` where a fit is known.
    """
    place = np.full(len(parents), -1, np.int64)
    place[nodes] = np.arange(len(nodes))
    children = np.flatnonzero(parents >= 0)
    children = children[place[parents[children]] >= 0]
    home = place[parents[children]]
    total = np.maximum(np.bincount(home, minlength=len(nodes)), 1)
    change = fitted.sh0[children, 0] - merged.sh0[children, 0]
    columns = [np.bincount(home, column, len(nodes)) / total for column in change.T]
    made = merged.select(nodes)
    return replace(made, sh0=made.sh0 + np.stack(columns, axis=1).astype(np.float32)[:, None])

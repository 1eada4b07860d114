"""Cuts through the tree of merges: a scene as any number of clusters, by replay."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.encoding.gathering import gather, heads_of, rows_of
from exgs.codec.encoding.leaves import LOW_PASS_PX2, Rows
from exgs.codec.encoding.merge_tree import MergeTree
from exgs.codec.encoding.moments import rotations_and_scales
from exgs.scene import SH_C0, Gaussians

LEAST_SHARE = 1e-3
"""Variance that is left at least when the low-pass is taken back, of the widened one."""


@dataclass(eq=False)
class Clusters:
    """A cut through a tree of merges. ``reduce`` moves it towards the root; no array is ever written to."""

    tree: MergeTree
    """The whole tree."""
    first: np.ndarray
    """[N] int32 first leaf of each cluster, ascending."""
    error: np.ndarray
    """[N] float32 squared picture error of all merges below each cluster."""
    origin: np.ndarray
    """[N] int32 index of the one source Gaussian in each cluster, -1 where there are several."""
    made: Rows | None = None
    """The clusters' values; None for the leaves until somebody asks for them."""

    @staticmethod
    def whole(tree: MergeTree) -> Clusters:
        """One cluster for every leaf."""
        count = len(tree)
        first = np.arange(count, dtype=np.int32)
        return Clusters(tree, first, np.zeros(count, np.float32), tree.leaves.index)

    @property
    def count(self) -> int:
        """Clusters left."""
        return len(self.first)

    @property
    def rows(self) -> Rows:
        """The clusters' values."""
        if self.made is None:
            self.made = self.tree.leaves.all_rows
        return self.made

    @property
    def mass(self) -> np.ndarray:
        """[N] float32 visible amplitude x area."""
        return self.rows.mass

    @property
    def amplitude(self) -> np.ndarray:
        """[N] float32 opacity x light that reaches it."""
        return self.rows.amplitude

    @property
    def colors(self) -> np.ndarray:
        """[N,3+3K] float32 colour and further harmonics times ``SH_C0``."""
        return self.rows.colors

    @property
    def footprint(self) -> np.ndarray:
        """[N] float32 pixels per unit of area, summed over the views."""
        return self.rows.footprint

    @property
    def source(self) -> Gaussians:
        """The Gaussians that the merging began with."""
        return self.tree.leaves.source

    def copy(self) -> Clusters:
        """The same cut, for merging on without moving this one."""
        return replace(self)


def reduce(clusters: Clusters, target: int) -> np.ndarray:
    """Merges until ``target`` clusters are left; returns [n] int32: where each of the n before went."""
    tree, before = clusters.tree, clusters.count
    target = max(1, target)
    if target >= before:
        return np.arange(before, dtype=np.int32)
    heads, place, merges = _followed(tree, clusters.first, target)
    made, members = gather(clusters.made or tree.leaves, place, len(heads))
    error = np.bincount(place, clusters.error, target)
    cost = tree.cost[len(tree) - before : len(tree) - target]
    error += np.bincount(place[merges[:, 0]], cost, target)
    clusters.made = made
    clusters.error = error.astype(np.float32)
    clusters.origin = np.where(members == 1, clusters.origin[heads], -1).astype(np.int32)
    clusters.first = clusters.first[heads]
    return place


def moved(tree: MergeTree, first: np.ndarray, target: int) -> np.ndarray:
    """[n] int32: where each cluster of the cut with first leaves ``first`` [n] is in that of ``target``."""
    return _followed(tree, first, target)[1]


def _followed(tree: MergeTree, first: np.ndarray, target: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Which clusters of a cut are left at ``target``, where each went, and the merges between, all by row."""
    merges = rows_of(len(tree), first, tree.merges[len(tree) - len(first) : len(tree) - target])
    return *heads_of(len(first), merges), merges


def to_gaussians(clusters: Clusters, index: np.ndarray | slice = slice(None)) -> Gaussians:
    """The clusters, or those at ``index``, as Gaussians; what was never merged has the values of the source.

    What the low-pass widened is taken back; opacity is by the light that reaches the members.
    """
    which = np.arange(clusters.count)[index]
    origin = clusters.origin[which]
    merged, alone = np.flatnonzero(origin < 0), np.flatnonzero(origin >= 0)
    if len(alone) == 0:
        return _merged(clusters, which)
    kept = clusters.source.select(origin[alone])
    if len(merged) == 0:
        return kept
    both = Gaussians.concatenate([_merged(clusters, which[merged]), kept])
    order = np.empty(len(which), np.int64)
    order[merged] = np.arange(len(merged))
    order[alone] = np.arange(len(merged), len(which))
    return both.select(order)


def _merged(clusters: Clusters, index: np.ndarray) -> Gaussians:
    rows, views = clusters.rows, clusters.tree.leaves.views
    quats, log_scales = rotations_and_scales(rows.covs[index])
    variance = np.exp(2.0 * log_scales)
    thinner = variance - (LOW_PASS_PX2 * views / rows.footprint[index])[:, None]
    log_scales = 0.5 * np.log(np.maximum(thinner, LEAST_SHARE * variance))
    opacity = np.clip(rows.amplitude[index] / rows.clear[index], 1e-3, 0.995)
    colors = rows.colors[index]
    return Gaussians(
        rows.means[index],
        quats,
        np.ascontiguousarray(log_scales, np.float32),
        np.log(opacity / (1.0 - opacity)).astype(np.float32),
        ((colors[:, None, :3] - 0.5) / SH_C0).astype(np.float32),
        np.ascontiguousarray(
            colors[:, 3:].reshape(len(index), (colors.shape[1] - 3) // 3, 3) / SH_C0, np.float32
        ),
        clusters.source.frame,
    )

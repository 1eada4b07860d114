"""Levels of detail out of one tree of merges, in which nothing is said twice.

Merging goes on from the Gaussians that a full file shows, and after each of a few steps of it those clusters
that have merged become Gaussians of the tree. What has not merged stays as it is in the coarser picture: so
whatever a finer Gaussian replaces, and whose bytes are lost by then, stands for several.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.encoding.merging import Clusters, reduce, to_gaussians
from exgs.codec.encoding.pairing import ALPHA_WEIGHT
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.scene import Gaussians

STEP = 7.0
"""Clusters before over clusters after merging on, from one picture of the tree to the next coarser one.

Smaller steps follow files made for their size more closely, and cost more: of Gaussians that are replaced
there are about 1 / STEP of those that are shown in the end, and a whole file is that much worse.
"""
ROOTS = 1 / 45
"""Gaussians that show the whole scene at its coarsest, of those that a full file shows."""
FEWEST_ROOTS = 48
"""Fewer are not worth a step."""


@dataclass(frozen=True, eq=False)
class Tree:
    """N Gaussians, each made of its children; the leaves come first, parents after their children."""

    gaussians: Gaussians
    """[N]."""
    parents: np.ndarray
    """[N] int64 index; -1 for roots."""
    born: np.ndarray
    """[N] int64 number of the coarser picture in which each first shows; 0 for the leaves."""
    error: np.ndarray
    """[N] float64 squared picture error of the merges that made each one, in closed form."""

    @property
    def pictures(self) -> int:
        """How many pictures of the whole scene the tree was made by, the finest included."""
        return int(self.born.max()) + 1

    def shown(self, picture: int) -> np.ndarray:
        """[n] indices of the Gaussians that make ``picture``, 0 the finest; those born in it come last."""
        gone = np.where(self.parents >= 0, self.born[self.parents], self.pictures)
        return np.flatnonzero((self.born <= picture) & (gone > picture))

    def with_values(self, nodes: np.ndarray, fitted: Gaussians) -> Tree:
        """The tree with the values of ``fitted`` at ``nodes``."""
        return replace(self, gaussians=_put(self.gaussians, nodes, fitted))


def _put(gaussians: Gaussians, nodes: np.ndarray, fitted: Gaussians) -> Gaussians:
    place = np.arange(len(gaussians))
    place[nodes] = len(gaussians) + np.arange(len(nodes))
    return Gaussians.concatenate([gaussians, fitted]).select(place)


def grow(clusters: Clusters, levels: int) -> Tree:
    """The tree above ``clusters``, which are merged on, of at most ``levels`` levels."""
    growth = _Growth(clusters)
    roots = max(int(clusters.count * ROOTS), FEWEST_ROOTS)
    while growth.pictures < levels and clusters.count > roots:
        before = clusters.count
        growth.merge(max(roots, int(before / STEP)))
        if clusters.count == before:
            break
    return growth.tree()


class _Growth:
    """A tree while it grows."""

    def __init__(self, clusters: Clusters) -> None:
        self.clusters = clusters
        count = clusters.count
        self.parts = [to_gaussians(clusters)]
        self.errors = [clusters.error.astype(np.float64)]
        self.parents = [np.full(count, -1, np.int64)]
        self.top = np.arange(count)
        """Index in the tree of what stands for each cluster."""

    @property
    def pictures(self) -> int:
        return len(self.parts)

    def merge(self, target: int) -> None:
        """Merges to ``target`` clusters; those that have several children are new in the tree."""
        home = reduce(self.clusters, target)
        family = np.bincount(home, minlength=self.clusters.count)
        fresh = np.flatnonzero(family > 1)
        count = sum(len(part) for part in self.parts)
        node = np.empty(self.clusters.count, np.int64)
        node[home] = self.top
        node[fresh] = count + np.arange(len(fresh))
        merged = family[home] > 1
        parents = np.concatenate(self.parents)
        parents[self.top[merged]] = node[home[merged]]
        self.parents = [parents, np.full(len(fresh), -1, np.int64)]
        self.parts.append(to_gaussians(self.clusters, fresh))
        self.errors.append(self.clusters.error[fresh].astype(np.float64))
        self.top = node

    def tree(self) -> Tree:
        born = np.repeat(np.arange(len(self.parts)), [len(part) for part in self.parts])
        gaussians = Gaussians.concatenate(self.parts) if len(self.parts) > 1 else self.parts[0]
        return Tree(gaussians, np.concatenate(self.parents), born, np.concatenate(self.errors))


def to_pyramid(tree: Tree, importance: np.ndarray) -> Pyramid:
    """The tree by depth, its roots as the coarsest level; each removes an error of ``importance`` [N]."""
    depth = np.zeros(len(tree.parents), np.int64)
    for picture in range(tree.pictures - 1, -1, -1):
        here = (tree.born == picture) & (tree.parents >= 0)
        depth[here] = depth[tree.parents[here]] + 1
    place = np.zeros(len(depth), np.int64)
    levels: list[Level] = []
    for number in range(int(depth.max()) + 1):
        nodes = np.flatnonzero(depth == number)
        place[nodes] = np.arange(len(nodes))
        parents = place[tree.parents[nodes]].astype(np.int32) if number else None
        levels.append(Level(tree.gaussians.select(nodes), parents, importance[nodes].astype(np.float32)))
    return Pyramid(tuple(reversed(levels)))


def presence(clusters: Clusters) -> np.ndarray:
    """[count] float32 squared picture error of leaving each cluster out."""
    strength = np.square(clusters.colors).sum(axis=1) + ALPHA_WEIGHT
    weight = clusters.mass * clusters.amplitude * clusters.footprint
    return np.asarray(np.pi * weight * strength, np.float32)

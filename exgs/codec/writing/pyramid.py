"""Levels of detail: what the encoder hands to the bitstream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.scene import Gaussians, StartView


@dataclass(frozen=True, eq=False)
class Level:
    """One level of detail: the Gaussians that replace some of the next coarser level's."""

    gaussians: Gaussians
    """The N Gaussians of this level."""
    parents: np.ndarray | None
    """[N] int32 index of the next coarser level's Gaussian that each one refines; None at the coarsest."""
    importance: np.ndarray
    """[N] float32 non-negative picture error that each one removes in place of its parent."""
    weight: np.ndarray | None = None
    """[N] float32 blending weight, by which harmonics are worth their bits; None: by size and opacity."""


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Levels of one tree of Gaussians, finest (level 0) first.

    The coarsest level shows the whole scene. What no finer Gaussian replaces stays, so the finest picture is
    of the leaves, of whichever levels they are.
    """

    levels: tuple[Level, ...]
    """Level 0 is the finest; each further one is coarser."""
    start: StartView | None = None
    """Where a viewer begins; None leaves that to the client."""

    @property
    def leaves(self) -> tuple[np.ndarray, ...]:
        """For each level which of its splats, [N] bool, no finer one replaces."""
        leaves = [np.ones(len(level.gaussians), np.bool_) for level in self.levels]
        for finer, mask in zip(self.levels, leaves[1:], strict=False):
            if finer.parents is not None:
                mask[finer.parents] = False
        return tuple(leaves)

    @property
    def shown(self) -> int:
        """How many Gaussians the finest picture is of."""
        total = sum(len(level.gaussians) for level in self.levels)
        return total - sum(
            len(np.unique(level.parents)) for level in self.levels if level.parents is not None
        )

"""Levels of detail: what the encoder hands to the bitstream."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.scene import Gaussians, StartView


@dataclass(frozen=True, eq=False)
class Level:
    """One level of detail, complete in itself: rendered alone it shows the whole scene."""

    gaussians: Gaussians
    """The N Gaussians of this level."""
    parents: np.ndarray | None
    """[N] int32 index of the next coarser level's Gaussian that each one refines; None at the coarsest."""
    importance: np.ndarray
    """[N] float32 non-negative picture error that each one removes; orders chunks within a level."""


@dataclass(frozen=True, eq=False)
class Pyramid:
    """Levels of one tree of Gaussians, finest (level 0) first."""

    levels: tuple[Level, ...]
    """Level 0 is the finest; each further one is coarser."""
    start: StartView | None = None
    """Where a viewer begins; None leaves that to the client."""

"""What there is to show right now: immutable, swapped as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from exgs.painter.visibility import in_view
from exgs.scene import Camera, Gaussians

VISIBILITY_SAMPLE = 4096
"""Splats looked at for the estimate of how many are in view."""

FADE_SHARE = 0.6
"""Share of a change that each fade takes: in at its start, out at its end, so that nothing shines through."""

T = TypeVar("T")


@dataclass(frozen=True)
class Fade:
    """A run of splats that comes or goes."""

    start: int
    """First splat in the snapshot."""
    stop: int
    """The one after the last."""
    came_s: float
    """When it came, on the clock of the session."""
    goes_s: float
    """When it was replaced; infinite where it was not."""
    length_s: float
    """How long a change takes."""

    def strength(self, now_s: float) -> float:
        """What its opacities are to be multiplied by, 0 to 1."""
        whole_s = FADE_SHARE * self.length_s
        come = (now_s - self.came_s) / whole_s
        go = (self.goes_s + self.length_s - now_s) / whole_s
        return min(max(min(come, 1.0), 0.0), 1.0) * min(max(min(go, 1.0), 0.0), 1.0)


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The scene as far as it had arrived at one moment: no hole, no splat twice."""

    number: int
    """Counts snapshots from 1."""
    gaussians: Gaussians
    """What to draw."""
    splats_resident: int
    """Splats of all chunks that have arrived, those replaced by finer ones included."""
    chunks_by_level: tuple[int, ...]
    """Chunks that have arrived at each level, finest first."""
    bytes_received: int
    """Bytes of the scene that have arrived, manifest included."""
    base: bool
    """Whether the coarsest level is there in full: every part of the scene is to be seen."""
    complete: bool
    """Whether every chunk is there."""
    last: bool
    """Whether no further chunk is awaited: each is there, or was corrupt."""
    fades: tuple[Fade, ...] = ()
    """Splats that come or go just now."""
    going: int = 0
    """How many splats at the end are on their way out."""

    @property
    def splats(self) -> int:
        """Splats that show, without those on their way out."""
        return len(self.gaussians) - self.going


class Latest(Generic[T]):
    """One value that a thread replaces and others read, without locks: an attribute is swapped atomically."""

    def __init__(self) -> None:
        self._value: T | None = None

    def put(self, value: T) -> None:
        """Replaces the value."""
        self._value = value

    def get(self) -> T | None:
        """The newest value; None before the first."""
        return self._value


def visible_splats(gaussians: Gaussians, cameras: Sequence[Camera]) -> int:
    """About how many centres lie within the picture of any of ``cameras``, from an even sample of them."""
    if not len(gaussians):
        return 0
    sample = gaussians.means[:: max(1, len(gaussians) // VISIBILITY_SAMPLE)]
    seen = np.zeros(len(sample), bool)
    for camera in cameras:
        seen |= in_view(sample, camera)
    return round(len(gaussians) * float(seen.mean()))

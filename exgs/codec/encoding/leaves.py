"""Gaussians as clusters of one: what merging, and every cut through its tree, begins with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from exgs.codec.encoding.at_once import batches
from exgs.codec.encoding.moments import areas, covariances
from exgs.codec.encoding.neighbours import along_curve
from exgs.codec.encoding.survey import Survey
from exgs.codec.encoding.visibility import light, likely_footprint
from exgs.raster.crew import Crew
from exgs.scene import SH_C0, Gaussians

LOW_PASS_PX2 = 0.15
"""Variance of the pixels' low-pass in the sampled views: what is thinner shows as wide as this."""


@dataclass(frozen=True, eq=False)
class Rows:
    """Clusters, one a row."""

    means: np.ndarray
    """[N,3] float32 weighted means."""
    covs: np.ndarray
    """[N,6] float32 covariances, widened by the low-pass of the pixels."""
    mass: np.ndarray
    """[N] float32 visible amplitude x area."""
    amplitude: np.ndarray
    """[N] float32 opacity x light that reaches it."""
    colors: np.ndarray
    """[N,3+3K] float32 colour and further harmonics times ``SH_C0``."""
    footprint: np.ndarray
    """[N] float32 pixels per unit of area, summed over the views."""
    clear: np.ndarray
    """[N] float32 light that reaches it, 0 to 1."""

    @property
    def channels(self) -> int:
        """Numbers of a colour."""
        return int(self.colors.shape[1])

    def rows(self, begin: int, end: int) -> Rows:
        """The clusters of [begin, end)."""
        return Rows(*(getattr(self, field.name)[begin:end] for field in fields(self)))

    @staticmethod
    def joined(parts: Sequence[Rows]) -> Rows:
        """The clusters of all ``parts`` in order."""
        if len(parts) == 1:
            return parts[0]
        return Rows(
            *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Rows))
        )


@dataclass(frozen=True, eq=False)
class Leaves:
    """The Gaussians of a scene in an order that keeps near ones near, and what the views tell of them."""

    source: Gaussians
    """The scene."""
    index: np.ndarray
    """[N] int32 index in ``source`` of each leaf."""
    footprint: np.ndarray
    """[N] float32 pixels per unit of area of each leaf, summed over the views."""
    clear: np.ndarray
    """[N] float32 light that reaches each leaf, 0 to 1."""
    views: int
    """How many views ``footprint`` sums over."""

    def __len__(self) -> int:
        return len(self.index)

    @property
    def channels(self) -> int:
        """Numbers of a colour."""
        return 3 + 3 * int(self.source.shN.shape[1])

    @property
    def all_rows(self) -> Rows:
        """The leaves as clusters."""
        return Rows.joined(Crew().share(self.rows, batches(len(self))))

    def rows(self, begin: int, end: int) -> Rows:
        """The leaves of [begin, end) as clusters."""
        part = self.source.select(self.index[begin:end])
        footprint, clear = self.footprint[begin:end], self.clear[begin:end]
        covs = widened(part.quats, part.log_scales, footprint, self.views)
        amplitude = part.opacities * clear
        colors = np.empty((len(part), self.channels), np.float32)
        colors[:, :3] = 0.5 + SH_C0 * part.sh0[:, 0]
        colors[:, 3:] = np.float32(SH_C0) * part.shN.reshape(len(part), self.channels - 3)
        return Rows(part.means, covs, amplitude * areas(covs), amplitude, colors, footprint.copy(), clear)


def leaves_of(gaussians: Gaussians, views: Survey) -> Leaves:
    """The leaves of a scene that ``views`` looked at."""
    footprint = likely_footprint(views).astype(np.float32)
    count = len(views.cameras)

    def unoccluded(begin: int, end: int) -> np.ndarray:
        part, seen = gaussians.select(slice(begin, end)), footprint[begin:end]
        covs = widened(part.quats, part.log_scales, seen, count)
        return 2.0 * np.pi * part.opacities * areas(covs) * seen

    weight = np.concatenate(Crew().share(unoccluded, batches(len(gaussians))))
    clear = light(gaussians.means, weight, views.weight_sum)
    index = along_curve(gaussians.means)
    return Leaves(gaussians, index, footprint[index], clear[index], count)


def widened(quats: np.ndarray, log_scales: np.ndarray, footprint: np.ndarray, views: int) -> np.ndarray:
    """[N,6] float32 covariances, widened by the low-pass of the pixels."""
    covs = covariances(quats, log_scales)
    covs[:, [0, 3, 5]] += (LOW_PASS_PX2 * views / footprint)[:, None]
    return covs

"""Gaussians as clusters of one: what merging, and every cut through its tree, begins with."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from exgs.codec.encoding.moments import areas, covariances
from exgs.codec.encoding.neighbours import along_curve
from exgs.codec.encoding.survey import Survey
from exgs.codec.encoding.visibility import light, likely_footprint
from exgs.scene import SH_C0, Gaussians

LOW_PASS_PX2 = 0.15
"""Variance of the pixels' low-pass in the sampled views: what is thinner shows as wide as this."""
BATCH = 1 << 18
"""Gaussians whose harmonics are copied at a time."""


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

    def rows(self, begin: int, end: int) -> Rows:
        """The leaves of [begin, end) as clusters."""
        index = self.index[begin:end]
        footprint, clear = self.footprint[begin:end], self.clear[begin:end]
        source = self.source
        covs = widened(source.quats[index], source.log_scales[index], footprint, self.views)
        amplitude = opacity_of(source.opacity_logits[index]) * clear
        colors = np.empty((len(index), 3 + 3 * source.shN.shape[1]), np.float32)
        colors[:, :3] = 0.5 + SH_C0 * source.sh0[index, 0]
        for start in range(0, len(index), BATCH):
            part = slice(start, start + BATCH)
            colors[part, 3:] = np.float32(SH_C0) * source.shN[index[part]].reshape(len(colors[part]), -1)
        return Rows(
            source.means[index], covs, amplitude * areas(covs), amplitude, colors, footprint.copy(), clear
        )


def leaves_of(gaussians: Gaussians, views: Survey) -> Leaves:
    """The leaves of a scene that ``views`` looked at."""
    footprint = likely_footprint(views).astype(np.float32)
    count = len(views.cameras)
    area = areas(widened(gaussians.quats, gaussians.log_scales, footprint, count))
    unoccluded = 2.0 * np.pi * opacity_of(gaussians.opacity_logits) * area * footprint
    clear = light(gaussians.means, unoccluded, views.weight_sum)
    index = along_curve(gaussians.means)
    return Leaves(gaussians, index, footprint[index], clear[index], count)


def widened(quats: np.ndarray, log_scales: np.ndarray, footprint: np.ndarray, views: int) -> np.ndarray:
    """[N,6] float32 covariances, widened by the low-pass of the pixels."""
    covs = covariances(quats, log_scales)
    covs[:, [0, 3, 5]] += (LOW_PASS_PX2 * views / footprint)[:, None]
    return covs


def opacity_of(logits: np.ndarray) -> np.ndarray:
    """[N] float32 opacities in (0, 1)."""
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -80.0, 80.0))), np.float32)

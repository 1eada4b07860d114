"""Merges Gaussians pair by pair, cheapest first, to any count: one binary tree for all levels of detail."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, replace
from itertools import pairwise

import numpy as np
from scipy.spatial import cKDTree

from exgs.codec.moments import areas, covariances, rotations_and_scales
from exgs.codec.pairing import find_partners, match, merge_pairs
from exgs.codec.survey import Survey
from exgs.codec.visibility import light, likely_footprint
from exgs.scene import SH_C0, Gaussians

NEIGHBOURS = 8
"""Nearest Gaussians among which each looks for a partner."""
SHARE = 0.25
"""Most pairs merged in one round, of the Gaussians left: small enough that the cheapest go first."""
LOW_PASS_PX2 = 0.15
"""Variance of the pixels' low-pass in the sampled views: what is thinner shows as wide as this."""
LEAST_SHARE = 1e-3
"""Variance that is left at least when the low-pass is taken back, of the widened one."""
THREADS = 2
"""Threads that look for partners."""


@dataclass(eq=False)
class Clusters:
    """Gaussians under merging. Every round overwrites the arrays; only the first ``count`` rows hold."""

    count: int
    """Clusters left."""
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
    """[N] float32 light that reaches the clearest member, 0 to 1."""
    error: np.ndarray
    """[N] float32 squared picture error of all merges below."""
    origin: np.ndarray
    """[N] int32 index of the one source Gaussian in the cluster, -1 once it is merged."""
    source: Gaussians
    """The Gaussians that the merging began with."""
    views: int
    """How many views ``footprint`` sums over."""

    def state(self) -> tuple[np.ndarray, ...]:
        """The rows that hold, as the kernels take them."""
        arrays = (self.means, self.covs, self.mass, self.amplitude, self.colors, self.footprint)
        return tuple(array[: self.count] for array in arrays)

    def copy(self) -> Clusters:
        """The clusters that are left, for merging on without touching these."""
        arrays = {
            field.name: getattr(self, field.name)[: self.count].copy()
            for field in fields(self)
            if isinstance(getattr(self, field.name), np.ndarray)
        }
        return replace(self, **arrays)


def begin(gaussians: Gaussians, views: Survey) -> Clusters:
    """One cluster for every Gaussian."""
    footprint = likely_footprint(views)
    covs = covariances(gaussians.quats, gaussians.log_scales)
    covs[:, [0, 3, 5]] += (LOW_PASS_PX2 * len(views.cameras) / footprint)[:, None]
    area, opacity = areas(covs), gaussians.opacities
    clear = light(gaussians.means, 2.0 * np.pi * opacity * area * footprint, views.weight_sum)
    amplitude = opacity * clear
    count = len(gaussians)
    colors = np.concatenate(
        [0.5 + SH_C0 * gaussians.sh0[:, 0], SH_C0 * gaussians.shN.reshape(count, -1)], axis=1
    )
    return Clusters(
        count,
        gaussians.means.copy(),
        covs,
        amplitude * area,
        amplitude,
        np.ascontiguousarray(colors, np.float32),
        footprint,
        clear,
        np.zeros(count, np.float32),
        np.arange(count, dtype=np.int32),
        gaussians,
        len(views.cameras),
    )


def reduce(clusters: Clusters, target: int) -> np.ndarray:
    """Merges until ``target`` clusters are left; returns [n] int32: where each of the n before went."""
    place = np.arange(clusters.count, dtype=np.int32)
    with ThreadPoolExecutor(THREADS) as pool:
        while clusters.count > target:
            step = _round(clusters, target, pool)
            if step is None:
                break
            place = step[place]
    return place


def _round(clusters: Clusters, target: int, pool: ThreadPoolExecutor) -> np.ndarray | None:
    count = clusters.count
    state = clusters.state()
    tree = cKDTree(state[0])
    neighbours = tree.query(state[0], k=min(NEIGHBOURS + 1, count), workers=THREADS)[1].astype(np.int32)
    partner, cost = np.empty(count, np.int32), np.empty(count, np.float32)
    edges = np.linspace(0, count, 4 * THREADS + 1).astype(np.int64)
    jobs = [
        pool.submit(find_partners, int(a), int(b), neighbours, state, partner, cost)
        for a, b in pairwise(edges)
    ]
    for job in jobs:
        job.result()
    order = np.argsort(cost, kind="stable").astype(np.int32)
    mate = np.full(count, -1, np.int32)
    most = min(count - target, max(1, int(count * SHARE)))
    if match(order, partner, most, mate) == 0:
        return None
    place = np.empty(count, np.int32)
    clusters.count = merge_pairs(mate, cost, state, (clusters.clear, clusters.error, clusters.origin), place)
    return place


def to_gaussians(clusters: Clusters) -> Gaussians:
    """The clusters as Gaussians; what was never merged has the values of the source.

    What the low-pass widened is taken back; opacity is by the light that reaches the clearest member.
    """
    origin = clusters.origin[: clusters.count]
    merged = np.flatnonzero(origin < 0)
    made = _merged(clusters, merged)
    if len(merged) == clusters.count:
        return made
    kept = clusters.source.select(origin[origin >= 0])
    both = Gaussians.concatenate([made, kept])
    place = np.empty(clusters.count, np.int64)
    place[merged] = np.arange(len(merged))
    place[origin >= 0] = np.arange(len(merged), clusters.count)
    return both.select(place)


def _merged(clusters: Clusters, index: np.ndarray) -> Gaussians:
    quats, log_scales = rotations_and_scales(clusters.covs[index])
    blur = LOW_PASS_PX2 * clusters.views / clusters.footprint[index, None]
    variances = np.exp(2.0 * log_scales)
    log_scales = 0.5 * np.log(np.maximum(variances - blur, LEAST_SHARE * variances))
    opacity = np.clip(clusters.amplitude[index] / clusters.clear[index], 1e-3, 0.995)
    colors = clusters.colors[index]
    return Gaussians(
        clusters.means[index],
        quats,
        np.ascontiguousarray(log_scales, np.float32),
        np.log(opacity / (1.0 - opacity)).astype(np.float32),
        ((colors[:, None, :3] - 0.5) / SH_C0).astype(np.float32),
        np.ascontiguousarray(
            colors[:, 3:].reshape(len(index), (colors.shape[1] - 3) // 3, 3) / SH_C0, np.float32
        ),
        clusters.source.frame,
    )

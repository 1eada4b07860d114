"""Clusters out of their members: sums over what goes into one."""

from __future__ import annotations

import numpy as np

from exgs.codec.encoding.at_once import batches
from exgs.codec.encoding.leaves import Leaves, Rows
from exgs.codec.encoding.moments import areas
from exgs.codec.kernel import kernel
from exgs.raster.crew import Crew

AT_ONCE = 8
"""Batches of members whose values are held at a time."""

Arrays = tuple[np.ndarray, ...]


def heads_of(count: int, merges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which of ``count`` clusters are left after ``merges`` [M,2], and where each of them went; int32."""
    place = np.empty(count, np.int32)
    left = _follow(merges, place)
    return np.flatnonzero(left).astype(np.int32), place


@kernel
def rows_of(leaves: int, first: np.ndarray, merges: np.ndarray) -> np.ndarray:
    """[M,2] int32: ``merges``, which name clusters by their first leaves ``first`` [n], by their rows."""
    row = np.empty(leaves, np.int32)
    for i in range(len(first)):
        row[first[i]] = i
    named = np.empty(merges.shape, np.int32)
    for k in range(len(merges)):
        named[k, 0], named[k, 1] = row[merges[k, 0]], row[merges[k, 1]]
    return named


@kernel
def _follow(merges: np.ndarray, place: np.ndarray) -> np.ndarray:
    left = np.ones(len(place), np.bool_)
    for k in range(len(merges)):
        left[merges[k, 1]] = False
    n = 0
    for i in range(len(place)):
        place[i] = n
        n += left[i]
    # Backwards, so that whoever takes another in has already gone where it goes.
    for k in range(len(merges) - 1, -1, -1):
        place[merges[k, 1]] = place[merges[k, 0]]
    return left


def gather(members: Leaves | Rows, place: np.ndarray, count: int) -> tuple[Rows, np.ndarray]:
    """``count`` clusters of ``members``, each of which goes to its ``place``; and how many went into each.

    A cluster has the mass of its members and their mean by mass: of the position, the covariance (with how
    far they lie from the mean), the colour, the footprint and the light.
    """
    channels = members.channels
    anchor = np.empty((count, 3), np.float32)
    moments, colors = np.zeros((count, 12), np.float64), np.zeros((count, channels), np.float32)
    population = np.zeros(count, np.int32)
    crew, spans = Crew(), batches(len(place))
    for first in range(0, len(spans), AT_ONCE):
        some = spans[first : first + AT_ONCE]
        for (begin, end), part in zip(some, crew.share(members.rows, some), strict=True):
            arrays = (part.means, part.covs, part.mass, part.footprint, part.clear, part.colors)
            _add(arrays, place[begin:end], anchor, (moments, colors, population))
    means = crew.share(_means, [(anchor[a:b], moments[a:b], colors[a:b]) for a, b in batches(count)])
    return Rows.joined(means), population


@kernel
def _add(members: Arrays, place: np.ndarray, anchor: np.ndarray, sums: Arrays) -> None:
    """Adds members; positions count from the cluster's ``anchor``, which is its first member's."""
    means, covs, mass, footprint, clear, shades = members
    moments, colors, population = sums
    for i in range(len(place)):
        n = place[i]
        if population[n] == 0:
            anchor[n] = means[i]
        population[n] += 1
        w = np.float64(mass[i])
        x = np.float64(means[i, 0] - anchor[n, 0])
        y = np.float64(means[i, 1] - anchor[n, 1])
        z = np.float64(means[i, 2] - anchor[n, 2])
        moments[n, 0] += w
        moments[n, 1] += w * x
        moments[n, 2] += w * y
        moments[n, 3] += w * z
        moments[n, 4] += w * (covs[i, 0] + x * x)
        moments[n, 5] += w * (covs[i, 1] + x * y)
        moments[n, 6] += w * (covs[i, 2] + x * z)
        moments[n, 7] += w * (covs[i, 3] + y * y)
        moments[n, 8] += w * (covs[i, 4] + y * z)
        moments[n, 9] += w * (covs[i, 5] + z * z)
        moments[n, 10] += w * footprint[i]
        moments[n, 11] += w * clear[i]
        for k in range(shades.shape[1]):
            colors[n, k] += mass[i] * shades[i, k]


def _means(anchor: np.ndarray, moments: np.ndarray, colors: np.ndarray) -> Rows:
    mass = np.maximum(moments[:, 0], 1e-38)
    means = moments[:, 1:4] / mass[:, None]
    covs = moments[:, 4:10] / mass[:, None]
    for at, (i, j) in enumerate(((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))):
        covs[:, at] -= means[:, i] * means[:, j]
    covs = covs.astype(np.float32)
    colors /= mass[:, None]
    footprint, clear = (moments[:, 10:] / mass[:, None]).astype(np.float32).T
    amplitude = np.minimum(mass / np.maximum(areas(covs), 1e-30), 1.0)
    return Rows(
        (anchor + means).astype(np.float32),
        covs,
        mass.astype(np.float32),
        amplitude.astype(np.float32),
        colors,
        np.ascontiguousarray(footprint),
        np.ascontiguousarray(clear),
    )

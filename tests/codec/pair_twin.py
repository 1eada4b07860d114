"""What a merge costs, readably: the twin of ``exgs.codec.encoding.pairing.price``."""

import numpy as np

from exgs.codec.encoding.merging import Clusters
from exgs.codec.encoding.pairing import ALPHA_WEIGHT


def matrix(cov: np.ndarray) -> np.ndarray:
    """[3,3] of xx, xy, xz, yy, yz, zz."""
    return np.asarray(cov[[0, 1, 2, 1, 3, 4, 2, 4, 5]].reshape(3, 3), np.float64)


def overlap(p: np.ndarray, q: np.ndarray, apart: np.ndarray) -> float:
    """Integral over the plane of the product of two Gaussians of peak 1 and covariances [2,2]."""
    both = p + q
    peak = 2.0 * np.pi * np.sqrt(np.linalg.det(p) * np.linalg.det(q) / np.linalg.det(both))
    return float(peak * np.exp(-0.5 * apart @ np.linalg.inv(both) @ apart))


def facing(cov: np.ndarray) -> np.ndarray:
    """[3,2] axes of the plane that a covariance [3,3] faces: across its thinnest axis, by a power of 16."""
    inverse = np.linalg.inv(cov)
    power = np.linalg.matrix_power(inverse / np.trace(inverse), 16)
    axis = power[:, np.argmax(np.diag(power))]
    return np.linalg.svd(axis[None])[2][1:].T


def pair_cost(clusters: Clusters, i: int, j: int) -> float:
    """Squared error of replacing ``i`` and ``j`` by one."""
    rows = clusters.rows
    mass = np.array([rows.mass[i], rows.mass[j]], np.float64)
    p, q = mass / mass.sum()
    apart = np.float64(rows.means[j]) - np.float64(rows.means[i])
    both = p * matrix(rows.covs[i]) + q * matrix(rows.covs[j]) + p * q * np.outer(apart, apart)
    plane = facing(both)
    a, b, m = (plane.T @ cov @ plane for cov in (matrix(rows.covs[i]), matrix(rows.covs[j]), both))
    gap = plane.T @ apart
    peaks = np.float64(rows.amplitude[[i, j]])
    flat = peaks @ [np.sqrt(np.linalg.det(a)), np.sqrt(np.linalg.det(b))]
    top = min(flat / np.sqrt(np.linalg.det(m)), 1.0)
    zero = np.zeros(2)
    aa, bb, mm = (
        peaks[0] ** 2 * overlap(a, a, zero),
        peaks[1] ** 2 * overlap(b, b, zero),
        top**2 * overlap(m, m, zero),
    )
    ab = peaks[0] * peaks[1] * overlap(a, b, gap)
    am, bm = peaks[0] * top * overlap(a, m, q * gap), peaks[1] * top * overlap(b, m, p * gap)
    colors = np.float64(rows.colors[[i, j]])
    (ii, ij), (_, jj) = colors @ colors.T + ALPHA_WEIGHT
    error = ii * (aa + p * p * mm - 2 * p * am) + jj * (bb + q * q * mm - 2 * q * bm)
    error += 2 * ij * (ab + p * q * mm - q * am - p * bm)
    return float(max(error, 0.0) * (p * rows.footprint[i] + q * rows.footprint[j]))

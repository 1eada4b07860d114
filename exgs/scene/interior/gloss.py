"""Highlights that move with the viewer, as spherical harmonics of degree 3."""

from __future__ import annotations

import numpy as np

from exgs.scene.gaussians import SH_C0
from exgs.scene.harmonics import higher_basis

_BANDS = np.repeat((0, 1, 2, 3), (1, 3, 5, 7))
_LOBE = np.array([1.0, 2.55, 3.1, 2.3]) / 8.95


def harmonics(directions: np.ndarray) -> np.ndarray:
    """[n,16] spherical harmonics of degree 3 at unit ``directions`` [n,3], the constant function first."""
    return np.c_[np.full(len(directions), SH_C0, directions.dtype), higher_basis(directions, 3)]


def highlight(normals: np.ndarray, toward: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """[n,16,3] harmonics of a bright spot seen where a mirror would show the light.

    ``normals`` [n,3] and ``toward`` [n,3] (to the light) are unit vectors, ``strength`` [n,3] the colour
    added at the brightest.
    """
    incidence = (normals * toward).sum(axis=1, keepdims=True)
    mirrored = 2 * incidence * normals - toward
    lobe = (_LOBE * 4 * np.pi / (2 * np.arange(4) + 1))[_BANDS]
    return np.asarray((harmonics(-mirrored) * lobe)[:, :, None] * strength[:, None, :])

"""Spherical harmonics: the colour a Gaussian shows in a direction."""

from __future__ import annotations

import numpy as np

from exgs.scene import SH_C0, Camera, Gaussians
from exgs.scene.harmonics import higher_basis


def sh_basis(directions: np.ndarray, degree: int) -> np.ndarray:
    """[N,(degree+1)^2] float32 real harmonics of unit ``directions`` [N,3], the constant function first."""
    directions = np.asarray(directions, np.float32)
    constant = np.full((len(directions), 1), SH_C0, np.float32)
    return np.concatenate([constant, higher_basis(directions, degree)], axis=1)


def view_directions(means: np.ndarray, camera: Camera) -> np.ndarray:
    """[N,3] float32 unit vectors from the camera to ``means`` [N,3]."""
    offsets = means - camera.position.astype(np.float32)
    return offsets / np.sqrt((offsets * offsets).sum(axis=1, keepdims=True) + np.float32(1e-20))


def view_colors(gaussians: Gaussians, camera: Camera) -> np.ndarray:
    """[N,3] float32 colours that ``camera`` sees: the harmonics plus 0.5, not below 0.

    A picture is linear in them, with geometry and order fixed.
    """
    colors = np.float32(0.5) + np.float32(SH_C0) * gaussians.sh0[:, 0]
    if gaussians.sh_degree:
        basis = higher_basis(view_directions(gaussians.means, camera), gaussians.sh_degree)
        colors = colors + np.einsum("nk,nkc->nc", basis, gaussians.shN)
    return np.maximum(colors, np.float32(0))

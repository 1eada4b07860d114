"""Spherical harmonics: the colour a Gaussian shows in a direction."""

from __future__ import annotations

import numpy as np

from exgs.scene import SH_C0, Camera, Gaussians

_C1 = 0.48860251190291992
_C2 = (1.0925484305920792, 0.31539156525252005, 0.54627421529603959)
_C3 = (0.59004358992664352, 2.8906114426405538, 0.45704579946446572, 0.37317633259011546, 1.4453057213202769)


def sh_basis(directions: np.ndarray, degree: int) -> np.ndarray:
    """[N,(degree+1)^2] float32 real harmonics of unit ``directions`` [N,3], in the order of the INRIA code.

    Source: Kerbl et al. 2023, the constant function first, then bands 1 to ``degree`` (at most 3).
    """
    x, y, z = np.asarray(directions, np.float32).T
    columns = [np.full(len(directions), SH_C0, np.float32)]
    if degree > 0:
        columns += [-_C1 * y, _C1 * z, -_C1 * x]
    xx, yy, zz = x * x, y * y, z * z
    if degree > 1:
        columns += [_C2[0] * x * y, -_C2[0] * y * z, _C2[1] * (2 * zz - xx - yy)]
        columns += [-_C2[0] * x * z, _C2[2] * (xx - yy)]
    if degree > 2:
        columns += [-_C3[0] * y * (3 * xx - yy), _C3[1] * x * y * z, -_C3[2] * y * (4 * zz - xx - yy)]
        columns += [_C3[3] * z * (2 * zz - 3 * xx - 3 * yy), -_C3[2] * x * (4 * zz - xx - yy)]
        columns += [_C3[4] * z * (xx - yy), -_C3[0] * x * (xx - 3 * yy)]
    return np.stack(columns, axis=1)


def view_directions(means: np.ndarray, camera: Camera) -> np.ndarray:
    """[N,3] float32 unit vectors from the camera to ``means`` [N,3]."""
    offsets = means - camera.position.astype(np.float32)
    return offsets / np.sqrt((offsets * offsets).sum(axis=1, keepdims=True) + np.float32(1e-20))


def view_colors(gaussians: Gaussians, camera: Camera) -> np.ndarray:
    """[N,3] float32 colours that ``camera`` sees: the harmonics plus 0.5, not below 0.

    Drawn with the blending operator of the same camera these are its picture.
    """
    colors = np.float32(0.5) + np.float32(SH_C0) * gaussians.sh0[:, 0]
    if gaussians.sh_degree:
        basis = sh_basis(view_directions(gaussians.means, camera), gaussians.sh_degree)
        colors = colors + np.einsum("nk,nkc->nc", basis[:, 1:], gaussians.shN)
    return np.maximum(colors, np.float32(0))

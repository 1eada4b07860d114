"""Highlights that move with the viewer, as spherical harmonics of degree 3."""

from __future__ import annotations

import numpy as np

from exgs.scene.gaussians import SH_C0

_BANDS = np.repeat((0, 1, 2, 3), (1, 3, 5, 7))
_LOBE = np.array([1.0, 2.55, 3.1, 2.3]) / 8.95


def harmonics(directions: np.ndarray) -> np.ndarray:
    """[n,16] spherical harmonics of degree 3 at unit ``directions`` [n,3], in the order of the INRIA code."""
    x, y, z = directions.T
    xx, yy, zz = x * x, y * y, z * z
    return np.stack(
        [
            np.full_like(x, SH_C0),
            -0.4886025119029199 * y,
            0.4886025119029199 * z,
            -0.4886025119029199 * x,
            1.0925484305920792 * x * y,
            -1.0925484305920792 * y * z,
            0.31539156525252005 * (2 * zz - xx - yy),
            -1.0925484305920792 * x * z,
            0.5462742152960396 * (xx - yy),
            -0.5900435899266435 * y * (3 * xx - yy),
            2.890611442640554 * x * y * z,
            -0.4570457994644658 * y * (4 * zz - xx - yy),
            0.3731763325901154 * z * (2 * zz - 3 * xx - 3 * yy),
            -0.4570457994644658 * x * (4 * zz - xx - yy),
            1.445305721320277 * z * (xx - yy),
            -0.5900435899266435 * x * (xx - 3 * yy),
        ],
        axis=1,
    )


def highlight(normals: np.ndarray, toward: np.ndarray, strength: np.ndarray) -> np.ndarray:
    """[n,16,3] harmonics of a bright spot seen where a mirror would show the light.

    ``normals`` [n,3] and ``toward`` [n,3] (to the light) are unit vectors, ``strength`` [n,3] the colour
    added at the brightest.
    """
    incidence = (normals * toward).sum(axis=1, keepdims=True)
    mirrored = 2 * incidence * normals - toward
    lobe = (_LOBE * 4 * np.pi / (2 * np.arange(4) + 1))[_BANDS]
    return np.asarray((harmonics(-mirrored) * lobe)[:, :, None] * strength[:, None, :])

"""Real spherical harmonics in the order and signs of the INRIA code, and how they turn."""

from __future__ import annotations

import numpy as np

from exgs.scene.gaussians import SH_COEFFICIENTS

_C1 = 0.4886025119029199
_C2 = (1.0925484305920792, 0.31539156525252005, 0.5462742152960396)
_C3 = (0.5900435899266435, 2.890611442640554, 0.4570457994644658, 0.3731763325901154, 1.445305721320277)
_SNAP = 1e-12


def higher_basis(directions: np.ndarray, degree: int) -> np.ndarray:
    """[S,K] basis functions of degrees 1 to ``degree`` (0 to 3) at unit ``directions`` [S,3], in their type.

    Source: Kerbl et al. 2023, in the order of its code, without the constant function, which is SH_C0.
    Colour seen along a direction d from the eye: 0.5 + SH_C0 * sh0 + higher_basis(d) @ shN.
    """
    x, y, z = directions.T
    functions: list[np.ndarray] = []
    if degree > 0:
        functions += [-_C1 * y, _C1 * z, -_C1 * x]
    xx, yy, zz = x * x, y * y, z * z
    if degree > 1:
        functions += [_C2[0] * x * y, -_C2[0] * y * z, _C2[1] * (2 * zz - xx - yy)]
        functions += [-_C2[0] * x * z, _C2[2] * (xx - yy)]
    if degree > 2:
        functions += [-_C3[0] * y * (3 * xx - yy), _C3[1] * x * y * z, -_C3[2] * y * (4 * zz - xx - yy)]
        functions += [_C3[3] * z * (2 * zz - 3 * xx - 3 * yy), -_C3[2] * x * (4 * zz - xx - yy)]
        functions += [_C3[4] * z * (xx - yy), -_C3[0] * x * (xx - 3 * yy)]
    return np.stack(functions, axis=1) if functions else np.empty((len(directions), 0), directions.dtype)


def band_turns(turn: np.ndarray, degree: int) -> list[np.ndarray]:
    """Matrices [2l+1,2l+1] float64, l = 1 to ``degree``, that turn the coefficients of a scene with it.

    Args:
        turn: [3,3] orthogonal matrix, proper or not: what was seen along d is then seen along ``turn`` @ d.
        degree: 0 to 3.
    """
    directions = _spread(64)
    after = higher_basis(directions, degree)
    before = higher_basis(directions @ np.asarray(turn, np.float64), degree)
    matrices = []
    for band in range(1, degree + 1):
        columns = slice(SH_COEFFICIENTS[band - 1], SH_COEFFICIENTS[band])
        solved = np.linalg.lstsq(after[:, columns], before[:, columns], rcond=None)[0]
        nearest = np.round(solved)
        matrices.append(np.where(np.abs(solved - nearest) < _SNAP, nearest, solved))
    return matrices


def _spread(count: int) -> np.ndarray:
    """[count,3] unit vectors spread evenly on a golden spiral."""
    steps = np.arange(count) + 0.5
    z = 1.0 - 2.0 * steps / count
    angle = steps * (np.pi * (3.0 - np.sqrt(5.0)))
    radius = np.sqrt(1.0 - z * z)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), z], axis=1)

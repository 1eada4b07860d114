"""What views tell of the colours of Gaussians, taken in view by view.

With geometry and order fixed a picture is linear in the colours, and what is off in it is shared out among
the Gaussians by blending weight. How much of that each one takes for its own depends on what it knows
already: the weight that it had in earlier views, for every harmonic times the square of that. So a colour
becomes a mean over all views, in which none has the last word.
Source: recursive least squares (Plackett 1950) with the diagonal of its matrix alone.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import kernel
from exgs.raster.cpu_project import harmonics_basis
from exgs.scene import SH_C0

Arrays = tuple[np.ndarray, ...]

_F = np.float32
_ZERO, _ONE, _TINY = _F(0), _F(1), _F(1e-20)
_C0 = _F(SH_C0)


@kernel
def learn(begin: int, end: int, told: Arrays, eyes: np.ndarray, known: np.ndarray, colors: Arrays) -> None:
    """Takes into the colours of Gaussians [begin, end) what a few views tell of them.

    ``told`` are weights [V,N] and what the views lack, shared out by weight [V,N,3]; ``eyes`` [V,3] where
    they were seen from. ``known`` [N,B] is the weight by which the constant colour and the further harmonics
    are known, infinite where one is not to change. ``colors`` are means [N,3], and constant coefficients
    [N,1,3] and further ones [N,K,3], which are written to.
    """
    weights, lacks = told
    means, sh0, shN = colors
    bands = known.shape[1]
    degree = 0
    while (degree + 1) * (degree + 1) < bands:
        degree += 1
    harmonics, basis = np.zeros(15, np.float32), np.ones(bands, np.float32)
    change, fresh = np.empty((bands, 3), np.float32), np.empty(bands, np.float32)
    for i in range(begin, end):
        weight = _ZERO
        for v in range(len(weights)):
            weight += weights[v, i]
        if not weight > _ZERO:
            continue
        change[:], fresh[:] = _ZERO, _ZERO
        for v in range(len(weights)):
            if degree > 0:
                x, y, z = means[i, 0] - eyes[v, 0], means[i, 1] - eyes[v, 1], means[i, 2] - eyes[v, 2]
                away = _ONE / np.sqrt(x * x + y * y + z * z + _TINY)
                harmonics_basis(degree, (x * away, y * away, z * away), harmonics)
            doubt = _ZERO
            for m in range(bands):
                if m > 0:
                    basis[m] = harmonics[m - 1] / _C0
                doubt += basis[m] * basis[m] / known[i, m]
            share = _ONE / (_ONE + weight * doubt)
            for m in range(bands):
                fresh[m] += weights[v, i] * basis[m] * basis[m]
                for n in range(3):
                    change[m, n] += share * basis[m] / known[i, m] * lacks[v, i, n]
        for m in range(bands):
            known[i, m] += fresh[m]
            for n in range(3):
                if m == 0:
                    sh0[i, 0, n] += change[0, n] / _C0
                else:
                    shN[i, m - 1, n] += change[m, n] / _C0

"""One step of Adam for every Gaussian, in units of the Gaussian itself.

A row of moments holds ten values of geometry and then the harmonics: the mean along the Gaussian's own axes
in standard deviations, the turn about these axes, the log scales, the opacity's logit.
Source: Kingma and Ba 2015; moments and their bias count only the steps that a Gaussian was met in.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import kernel

FIRST, SECOND = 0.9, 0.95
"""What is kept of the first and second moments from one step to the next."""
LARGEST_LOGIT = 5.2
"""Opacity stays below 0.995: a Gaussian that is cut at alpha 0.99 has no gradient left."""
SHRINKING, GROWTH = -2.0, 1.0
"""Bounds of the change of a log scale."""
LARGEST_STEP = 3.0
"""Bound of a first moment, in roots of the second."""

Arrays = tuple[np.ndarray, ...]

_F = np.float32
_ZERO, _ONE, _TWO, _HALF = _F(0), _F(1), _F(2), _F(0.5)
_KEPT_1, _KEPT_2, _NEW_1, _NEW_2 = _F(FIRST), _F(SECOND), _F(1 - FIRST), _F(1 - SECOND)
_OPAQUE, _LEAST, _MOST, _FAR = _F(LARGEST_LOGIT), _F(SHRINKING), _F(GROWTH), _F(LARGEST_STEP)
_GEOMETRY = 10


@kernel
def take_gradients(
    begin: int, end: int, shapes: Arrays, slopes: Arrays, moments: Arrays, which: Arrays
) -> np.ndarray:
    """Takes gradients into the moments of those Gaussians of [begin, end) that were met.

    ``shapes`` are quats and log scales, ``slopes`` the gradients of means, turns, log scales, logits and
    harmonics [N,3B], ``moments`` the first and second [N,10+3B], ``which`` how often each was met [N] and
    whether it is free [N]. What has no sound gradient counts as not met: its count turns negative.
    Gives the sum [10+3B] float64 of the second moments.
    """
    quats, log_scales = shapes
    means, turns, scales, logits, harmonics = slopes
    first, second = moments
    met, free = which
    axes, row = np.empty((3, 3), np.float32), np.empty(first.shape[1], np.float32)
    squares = np.zeros(first.shape[1])
    for i in range(begin, end):
        met[i] = abs(met[i])
        turn_of(quats[i], axes)
        total = _ZERO
        for n in range(3):
            along = axes[0, n] * means[i, 0] + axes[1, n] * means[i, 1] + axes[2, n] * means[i, 2]
            row[n], row[3 + n], row[6 + n] = along * np.exp(log_scales[i, n]), turns[i, n], scales[i, n]
        row[9] = logits[i]
        row[_GEOMETRY:] = harmonics[i]
        for n in range(len(row)):
            total += abs(row[n])
        if free[i] and _ZERO < total < np.inf:
            met[i] += 1
            for n in range(len(row)):
                first[i, n] = _KEPT_1 * first[i, n] + _NEW_1 * row[n]
                second[i, n] = _KEPT_2 * second[i, n] + _NEW_2 * row[n] * row[n]
        else:
            met[i] = -met[i]
        for n in range(len(row)):
            squares[n] += second[i, n]
    return squares


@kernel
def move(begin: int, end: int, values: Arrays, lengths: Arrays, moments: Arrays, which: Arrays) -> None:
    """Moves those Gaussians of [begin, end) that were met.

    ``values`` are means, quats, log scales, logits, colours [N,3] and further harmonics [N,3B-3], ``lengths``
    the steps and the least roots of second moments [10+3B], ``which`` how often each was met [N] and its log
    scales at first [N,3].
    """
    means, quats, log_scales, logits, colors, further = values
    steps, floors = lengths
    first, second = moments
    met, merged = which
    axes, row = np.empty((3, 3), np.float32), np.empty(len(steps), np.float32)
    for i in range(begin, end):
        if met[i] <= 0:
            continue
        bias_1, bias_2 = _F(1 - FIRST ** met[i]), _F(1 - SECOND ** met[i])
        for n in range(len(row)):
            slope = first[i, n] / bias_1 / (np.sqrt(second[i, n] / bias_2) + floors[n])
            row[n] = -steps[n] * min(max(slope, -_FAR), _FAR)
        turn_of(quats[i], axes)
        for n in range(3):
            row[n] *= np.exp(log_scales[i, n])
        for n in range(3):
            means[i, n] += axes[n, 0] * row[0] + axes[n, 1] * row[1] + axes[n, 2] * row[2]
            least, most = merged[i, n] + _LEAST, merged[i, n] + _MOST
            log_scales[i, n] = min(max(log_scales[i, n] + row[6 + n], least), most)
        _turn_by(quats[i], row[3:6])
        logits[i] = min(logits[i] + row[9], max(_OPAQUE, logits[i]))
        for n in range(3):
            colors[i, n] += row[_GEOMETRY + n]
        for n in range(further.shape[1]):
            further[i, n] += row[_GEOMETRY + 3 + n]


@kernel
def turn_of(quat: np.ndarray, axes: np.ndarray) -> None:
    """Fills ``axes`` [3,3] with the rotation by a quaternion of any length."""
    w, x, y, z = quat[0], quat[1], quat[2], quat[3]
    norm = _ONE / np.sqrt(w * w + x * x + y * y + z * z + _F(1e-20))
    w, x, y, z = w * norm, x * norm, y * norm, z * norm
    axes[0, 0], axes[0, 1], axes[0, 2] = (
        _ONE - _TWO * (y * y + z * z),
        _TWO * (x * y - w * z),
        _TWO * (x * z + w * y),
    )
    axes[1, 0], axes[1, 1], axes[1, 2] = (
        _TWO * (x * y + w * z),
        _ONE - _TWO * (x * x + z * z),
        _TWO * (y * z - w * x),
    )
    axes[2, 0], axes[2, 1], axes[2, 2] = (
        _TWO * (x * z - w * y),
        _TWO * (y * z + w * x),
        _ONE - _TWO * (x * x + y * y),
    )


@kernel
def _turn_by(quat: np.ndarray, turn: np.ndarray) -> None:
    """Turns ``quat`` by a small ``turn`` about its own axes, and makes it a unit one."""
    w, x, y, z = quat[0], quat[1], quat[2], quat[3]
    a, b, c = _HALF * turn[0], _HALF * turn[1], _HALF * turn[2]
    quat[0] = w - x * a - y * b - z * c
    quat[1] = x + w * a + y * c - z * b
    quat[2] = y + w * b + z * a - x * c
    quat[3] = z + w * c + x * b - y * a
    length = np.sqrt(quat[0] ** 2 + quat[1] ** 2 + quat[2] ** 2 + quat[3] ** 2)
    if length > _ZERO:
        for n in range(4):
            quat[n] /= length

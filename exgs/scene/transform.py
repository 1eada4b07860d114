"""Scenes in another place, at another scale, or in another frame of reference.

Covariances and colours turn with the positions. A mirrored scene needs no mirrored rotation: an ellipsoid is
the same after a point reflection, so rotations take the proper part of the matrix, and harmonics all of it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_COEFFICIENTS, Gaussians
from exgs.scene.harmonics import band_turns

BLOCK = 1 << 16
"""Gaussians that are turned at a time."""
TOLERANCE = 1e-4
"""How far a similarity's linear part, divided by its scale, may be from orthogonal."""


def to_frame(gaussians: Gaussians, frame: Frame) -> Gaussians:
    """The same scene in coordinates of ``frame``.

    Lengths are rescaled where both frames name their unit. Where only one does, numbers keep their size and
    the result keeps the unit that is known.
    """
    source = gaussians.frame
    unit = frame.metres_per_unit or source.metres_per_unit
    target = replace(frame, metres_per_unit=unit)
    if target == source:
        return gaussians
    matrix = np.eye(4)
    scale = source.metres_per_unit / unit if source.metres_per_unit and unit else 1.0
    matrix[:3, :3] = scale * source.to(frame)
    return transform(gaussians, matrix, frame=target)


def transform(gaussians: Gaussians, matrix: np.ndarray, *, frame: Frame | None = None) -> Gaussians:
    """The scene moved by a similarity.

    Args:
        gaussians: the scene.
        matrix: [4,4] rotation or reflection times a positive scale, and a translation; last row 0 0 0 1.
        frame: the frame that the new coordinates lie in. By default the axes keep their names and the scene
            its physical size, so that metres_per_unit is divided by the scale.

    Raises:
        SceneError: ``matrix`` is no similarity.
    """
    turn, scale, shift = _split(matrix)
    quats = _turn_quats(gaussians.quats, turn)
    log_scales = gaussians.log_scales
    if scale != 1.0:
        log_scales = log_scales + np.float32(np.log(scale))
    if frame is None:
        unit = gaussians.frame.metres_per_unit
        frame = replace(gaussians.frame, metres_per_unit=unit / scale if unit else None)
    return replace(
        gaussians,
        means=_move(gaussians.means, scale * turn, shift),
        quats=quats,
        log_scales=log_scales,
        shN=_turn_harmonics(gaussians.shN, turn),
        frame=frame,
    )


def _split(matrix: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
    """Orthogonal part, scale and translation of a similarity."""
    matrix = np.asarray(matrix, np.float64)
    if matrix.shape != (4, 4) or not np.isfinite(matrix).all():
        raise SceneError("a similarity must be 4 x 4 finite numbers")
    scale = float(np.sqrt((matrix[:3, :3] ** 2).sum() / 3.0))
    if scale == 0.0 or np.abs(matrix[3] - (0.0, 0.0, 0.0, 1.0)).max() > 1e-6:
        raise SceneError("a similarity must have an inverse and the last row 0 0 0 1")
    if abs(scale - 1.0) < 1e-12:
        scale = 1.0
    turn = matrix[:3, :3] / scale
    if np.abs(turn @ turn.T - np.eye(3)).max() > TOLERANCE:
        raise SceneError("a similarity must scale all directions alike: this matrix shears or stretches")
    return turn, scale, matrix[:3, 3]


def _move(means: np.ndarray, linear: np.ndarray, shift: np.ndarray) -> np.ndarray:
    moved = np.empty_like(means)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(means), BLOCK):
            part = means[start : start + BLOCK].astype(np.float64)
            moved[start : start + BLOCK] = part @ linear.T + shift
    return moved


def _turn_quats(quats: np.ndarray, turn: np.ndarray) -> np.ndarray:
    """Quaternions after ``turn``, at the length they had.

    Where ``turn`` only flips axes, the ellipsoids' own axes flip too: an upright one keeps its quaternion, as
    in other tools, and turning back is exact.
    """
    if np.array_equal(np.abs(turn), np.eye(3)):
        flips = np.diag(turn)
        with np.errstate(invalid="ignore"):
            return np.asarray(quats * np.r_[1.0, flips * flips.prod()].astype(np.float32))
    w, x, y, z = _quaternion(turn * np.sign(np.linalg.det(turn)))
    product = np.array([[w, -x, -y, -z], [x, w, -z, y], [y, z, w, -x], [z, -y, x, w]])
    turned = np.empty_like(quats)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(quats), BLOCK):
            turned[start : start + BLOCK] = quats[start : start + BLOCK].astype(np.float64) @ product.T
    return turned


def _quaternion(rotation: np.ndarray) -> np.ndarray:
    """[4] wxyz unit quaternion of a proper rotation: the eigenvector of Bar-Itzhack's symmetric matrix."""
    (a, b, c), (d, e, f), (g, h, i) = rotation
    symmetric = np.array(
        [
            [a + e + i, h - f, c - g, d - b],
            [h - f, a - e - i, b + d, c + g],
            [c - g, b + d, e - a - i, f + h],
            [d - b, c + g, f + h, i - a - e],
        ]
    )
    quaternion = np.linalg.eigh(symmetric)[1][:, -1]
    quaternion = np.where(np.abs(quaternion) < 1e-15, 0.0, quaternion)
    first = quaternion[np.argmax(np.abs(quaternion) > 1e-9)]
    return np.asarray(quaternion * np.sign(first))


def _turn_harmonics(shN: np.ndarray, turn: np.ndarray) -> np.ndarray:
    degree = SH_COEFFICIENTS.index(shN.shape[1])
    if degree == 0:
        return shN
    matrices = [matrix.astype(np.float32) for matrix in band_turns(turn, degree)]
    turned = np.empty_like(shN)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, len(shN), BLOCK):
            part = shN[start : start + BLOCK].transpose(1, 0, 2)
            for band, matrix in enumerate(matrices, start=1):
                rows = slice(SH_COEFFICIENTS[band - 1], SH_COEFFICIENTS[band])
                mixed = matrix @ part[rows].reshape(len(matrix), -1)
                turned[start : start + BLOCK, rows] = mixed.reshape(len(matrix), -1, 3).transpose(1, 0, 2)
    return turned

"""The Gaussians of a scene: frozen arrays of raw values, as training leaves them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.frame import Frame

SH_COEFFICIENTS = (0, 3, 8, 15)
"""Coefficients per channel beyond the constant one, by spherical-harmonics degree."""

SH_C0 = 0.28209479177387814
"""The constant basis function: colour = 0.5 + SH_C0 * sh0."""

VALUES = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")
"""Names of the arrays of ``Gaussians``, in their order."""


@dataclass(frozen=True, eq=False)
class Gaussians:
    """N anisotropic Gaussians with raw values (Kerbl et al. 2023), float32 and C-contiguous.

    Arrays are shared, never copied: whoever passes one in gives up writing to it.
    """

    means: np.ndarray
    """[N,3] centres, in units of the scene."""
    quats: np.ndarray
    """[N,4] rotations as wxyz quaternions of any non-zero length."""
    log_scales: np.ndarray
    """[N,3] natural logarithm of the standard deviations along the rotated axes."""
    opacity_logits: np.ndarray
    """[N] opacity before the logistic function."""
    sh0: np.ndarray
    """[N,1,3] constant colour coefficient per channel; colour = 0.5 + SH_C0 * sh0."""
    shN: np.ndarray
    """[N,K,3] further coefficients, K in 0, 3, 8, 15 for degrees 0 to 3, in the order of the INRIA code."""
    frame: Frame = field(default_factory=Frame)
    """Where the axes point and how long the unit is."""

    def __post_init__(self) -> None:
        count = len(self.means)
        shapes = {
            "means": (count, 3),
            "quats": (count, 4),
            "log_scales": (count, 3),
            "opacity_logits": (count,),
            "sh0": (count, 1, 3),
        }
        for name, shape in shapes.items():
            _check(name, getattr(self, name), shape)
        if self.shN.ndim != 3 or self.shN.shape[1] not in SH_COEFFICIENTS:
            raise SceneError(f"shN: expected [N, 0|3|8|15, 3], found {list(self.shN.shape)}")
        _check("shN", self.shN, (count, self.shN.shape[1], 3))

    def __len__(self) -> int:
        return len(self.means)

    @property
    def sh_degree(self) -> int:
        """Degree of the spherical harmonics, 0 to 3."""
        return SH_COEFFICIENTS.index(self.shN.shape[1])

    @property
    def scales(self) -> np.ndarray:
        """[N,3] standard deviations, in units of the scene."""
        return np.exp(self.log_scales)

    @property
    def opacities(self) -> np.ndarray:
        """[N] opacities in (0, 1)."""
        clipped = np.clip(self.opacity_logits, -80.0, 80.0)
        return np.asarray(1.0 / (1.0 + np.exp(-clipped)), dtype=np.float32)

    @property
    def float_bytes(self) -> int:
        """Size of these Gaussians as the float32 values of an INRIA PLY, normals included, header not."""
        return len(self) * 4 * (17 + 3 * self.shN.shape[1])

    def select(self, index: np.ndarray | slice) -> Gaussians:
        """The Gaussians at ``index`` (integers, a mask or a slice), in that order."""
        return self._like([np.ascontiguousarray(array[index]) for array in self._arrays()])

    def with_sh_degree(self, degree: int) -> Gaussians:
        """The same Gaussians with harmonics cut, or filled with zeros, to ``degree``."""
        if degree not in range(4):
            raise SceneError(f"SH degree {degree}: expected 0 to 3")
        wanted, have = SH_COEFFICIENTS[degree], self.shN.shape[1]
        if wanted == have:
            return self
        shN = np.zeros((len(self), wanted, 3), np.float32)
        shN[:, : min(wanted, have)] = self.shN[:, : min(wanted, have)]
        return replace(self, shN=shN)

    @staticmethod
    def concatenate(parts: Sequence[Gaussians]) -> Gaussians:
        """All Gaussians of ``parts`` in order, at the highest SH degree among them.

        Raises:
            SceneError: there are no parts, or their frames differ.
        """
        if not parts:
            raise SceneError("no Gaussians to concatenate")
        if any(part.frame != parts[0].frame for part in parts):
            raise SceneError("parts of a scene lie in different frames of reference")
        degree = max(part.sh_degree for part in parts)
        columns = zip(*(part.with_sh_degree(degree)._arrays() for part in parts), strict=True)
        return parts[0]._like([np.concatenate(column) for column in columns])

    @staticmethod
    def empty(sh_degree: int = 0, frame: Frame | None = None) -> Gaussians:
        """No Gaussians at all."""
        higher = SH_COEFFICIENTS[sh_degree]
        zeros = [np.zeros((0, *shape), np.float32) for shape in ((3,), (4,), (3,), (), (1, 3), (higher, 3))]
        means, quats, log_scales, opacity_logits, sh0, shN = zeros
        return Gaussians(means, quats, log_scales, opacity_logits, sh0, shN, frame or Frame())

    def _arrays(self) -> tuple[np.ndarray, ...]:
        return tuple(getattr(self, name) for name in VALUES)

    def _like(self, arrays: Sequence[np.ndarray]) -> Gaussians:
        means, quats, log_scales, opacity_logits, sh0, shN = arrays
        return Gaussians(means, quats, log_scales, opacity_logits, sh0, shN, self.frame)


def _check(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape or array.dtype != np.float32 or not array.flags.c_contiguous:
        raise SceneError(
            f"{name}: expected contiguous float32 {list(shape)}, found {array.dtype} {list(array.shape)}"
        )

"""Frames of reference: which way the axes of a scene point, and how long its unit is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.scene.errors import SceneError

_DIRECTIONS = {
    "R": (1, 0, 0),
    "L": (-1, 0, 0),
    "U": (0, 1, 0),
    "D": (0, -1, 0),
    "B": (0, 0, 1),
    "F": (0, 0, -1),
}


@dataclass(frozen=True)
class Frame:
    """The axes of a scene, named by where x, y and z point: ``RDF`` is x right, y down, z forward."""

    axes: str = "RDF"
    """Three letters of R/L, U/D, F/B, one of each pair. INRIA PLY is RDF, SPZ is RUB, glTF is LUF."""
    metres_per_unit: float | None = None
    """Length of one unit in metres; None where nobody said."""

    def __post_init__(self) -> None:
        if len(self.axes) != 3 or {_pair(letter) for letter in self.axes} != {"LR", "DU", "BF"}:
            raise SceneError(f"axes {self.axes!r}: expected one letter each of R/L, U/D and F/B")
        if self.metres_per_unit is not None and not 0 < self.metres_per_unit < float("inf"):
            raise SceneError(f"metres per unit {self.metres_per_unit!r}: expected a positive number")

    @property
    def up(self) -> str:
        """The signed axis that points up, such as ``-y``."""
        for axis, letter in zip("xyz", self.axes, strict=True):
            if letter in "UD":
                return ("+" if letter == "U" else "-") + axis
        raise AssertionError("a checked frame has an up axis")

    @property
    def up_vector(self) -> np.ndarray:
        """[3] float64 unit vector that points up, in the scene's own coordinates."""
        vector = np.zeros(3)
        vector["xyz".index(self.up[1])] = 1.0 if self.up[0] == "+" else -1.0
        return vector

    def to(self, other: Frame) -> np.ndarray:
        """[3,3] signed permutation that takes coordinates of this frame to those of ``other``."""
        return _basis(other.axes).T @ _basis(self.axes)


def _pair(letter: str) -> str:
    return {"R": "LR", "L": "LR", "U": "DU", "D": "DU", "F": "BF", "B": "BF"}.get(letter, "?")


def _basis(axes: str) -> np.ndarray:
    """[3,3] columns are the frame's axes, written in right-up-back coordinates."""
    return np.array([_DIRECTIONS[letter] for letter in axes], dtype=np.float64).T

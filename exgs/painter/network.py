"""What runs a network: planes in, restored planes out."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from exgs.painter.errors import PainterError

OUTPUTS = 4
"""Restored red, green and blue, and the gate."""

FAR = 1.0
"""What is this far outside of [0, 1] is no rounding."""


class Network(Protocol):
    """A network on some device."""

    device: str
    """What it runs on, for reports: ``cpu``, ``cuda``, ``tensorrt``."""

    def run(self, planes: np.ndarray) -> np.ndarray:
        """[B,4,H,W] float32 of ``planes`` [B,7,H,W] float32, H and W multiples of 16.

        What it gives is valid until the next call.

        Raises:
            PainterError: the network cannot be run on that.
        """


def checked_output(restored: np.ndarray, planes: np.ndarray) -> np.ndarray:
    """``restored``, if it has the shape that belongs to ``planes`` and its values are about from 0 to 1.

    Raises:
        PainterError: it is not.
    """
    expected = (len(planes), OUTPUTS, *planes.shape[2:])
    if restored.shape != expected:
        raise PainterError(f"the network gives {list(restored.shape)}, expected {list(expected)}")
    if not (restored.min() >= -FAR and restored.max() <= 1 + FAR):  # which no NaN is
        raise PainterError("the network gives values that are no colours")
    return restored

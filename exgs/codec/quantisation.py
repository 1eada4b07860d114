"""Precision: how finely each attribute is kept."""

from __future__ import annotations

from dataclasses import dataclass, replace

_STEPS = ("position", "scale", "rotation", "opacity", "colour", "sh")


@dataclass(frozen=True)
class Precision:
    """Quantisation steps for a splat of the level's typical size and opacity; all positive."""

    position: float = 0.25
    """Step of the means, in typical splat sizes (standard deviations) of the level."""
    scale: float = 0.15
    """Step of the log scales, natural logarithm."""
    rotation: float = 0.10
    """Step of the rotation angles, in radians."""
    opacity: float = 0.03
    """Step of the opacity, in 0 to 1."""
    colour: float = 0.02
    """Step of the colour, in 0 to 1."""
    sh: float = 0.04
    """Step of the further harmonics' coefficients, as contributions to the colour."""

    def scaled(self, factor: float) -> Precision:
        """All steps times ``factor``: above one is coarser."""
        return replace(self, **{name: getattr(self, name) * factor for name in _STEPS})

    @staticmethod
    def from_quality(quality: float) -> Precision:
        """Steps for ``quality`` 0 to 100: 50 is the default; 16 more halve every step."""
        return Precision().scaled(2.0 ** ((50.0 - quality) / 16.0))

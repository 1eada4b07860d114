"""What an architecture may say: a manifest may say anything, and modules take memory and time each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from exgs.painter.errors import PainterError
from exgs.painter.planes import FEWEST, PLANES


@dataclass(frozen=True)
class Range:
    """What a number may be, or each of a list of numbers."""

    least: int
    """Smallest."""
    most: int
    """Largest."""
    longest: int = 0
    """Of how many numbers at most, where it is a list."""

    def holds(self, value: Any) -> bool:
        """Whether ``value`` is such a number, or such a list."""
        if not self.longest:
            return type(value) is int and self.least <= value <= self.most
        return isinstance(value, list | tuple) and 0 < len(value) <= self.longest and all(
            type(number) is int and self.least <= number <= self.most for number in value
        )  # fmt: skip

    def __str__(self) -> str:
        numbers = f"{self.least} to {self.most}"
        return f"a list of at most {self.longest} numbers from {numbers}" if self.longest else numbers


WIDTHS = Range(1, 4096, 8)
"""Channels."""
_AUTOENCODER = {"vae_widths": WIDTHS, "channels": Range(1, 256), "blocks": Range(1, 16)}
RANGES: Mapping[str, Mapping[str, Range]] = MappingProxyType(
    {
        "pixels": {
            "widths": WIDTHS, "blocks": Range(0, 64, 8), "planes": Range(FEWEST, len(PLANES)),
            "reaches": Range(1, 64, 64),
        },
        "latent": {**_AUTOENCODER, "unet_widths": WIDTHS},
        "foreign": _AUTOENCODER,
    }
)  # fmt: skip
"""What the numbers of each kind of architecture may be."""
DEEPEST = 32
"""Most layers of a foreign denoiser within a block, and most blocks."""
WIDEST = 1 << 16
"""Largest of all other numbers in its configuration."""
_LAYERS = ("layers_per_block", "transformer_layers_per_block", "reverse_transformer_layers_per_block")


def check_architecture(architecture: Mapping[str, Any]) -> None:
    """Whether it is of a known kind, and its numbers are such that modules of it can be made.

    Raises:
        PainterError: they are not: which, and what it may be.
    """
    kind = architecture.get("kind")
    if not isinstance(kind, str) or kind not in RANGES:
        raise PainterError(f"architecture {str(kind)[:40]!r}: expected {', '.join(RANGES)}")
    for name, allowed in RANGES[kind].items():
        if name in architecture and not allowed.holds(architecture[name]):
            found = str(architecture[name])[:40]
            raise PainterError(f"architecture {kind}: {name} {found}, expected {allowed}")


def check_configuration(config: Mapping[str, Any]) -> None:
    """Whether the numbers of a foreign denoiser's configuration are such that modules of it can be made.

    Raises:
        PainterError: one is not.
    """
    for name, value in config.items():
        most = DEEPEST if name in _LAYERS else WIDEST
        if isinstance(value, list | tuple) and len(value) > DEEPEST:
            raise PainterError(f"the denoiser's {name[:40]} lists {len(value)}, expected {DEEPEST} at most")
        for number in _numbers(value):
            if not abs(number) <= most:
                found = str(number)[:40]
                raise PainterError(f"the denoiser's {name[:40]} is {found}, expected {most} at most")


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, int | float):
        yield value
    elif isinstance(value, list | tuple):
        for part in value[: DEEPEST + 1]:
            yield from _numbers(part)

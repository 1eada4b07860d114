"""Where weights that restore pictures are found."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from exgs.painter.manifest import Manifest
from exgs.weights import shelf as shelves

SIZES = ("tiny", "small", "base")
"""The sizes that may be shipped, smallest first."""
SHELF = Path(__file__).parent / "weights"
MANIFEST, FILES = shelves.MANIFEST, shelves.FILES
Weights: TypeAlias = shelves.Weights[Manifest]
"""A folder of weights whose manifest, with its gate, was read."""


def shipped(shelf: Path = SHELF) -> tuple[str, ...]:
    """The sizes of which weights came with the package, smallest first."""
    return shelves.shipped(shelf, SIZES)


def open_weights(name: str, shelf: Path = SHELF) -> Weights:
    """The weights of a size that is shipped, or of any folder of that path.

    Raises:
        WeightsError: there are none.
    """
    return shelves.open_weights(name, shelf, SIZES, Manifest.parse)

"""What differs from seed to seed: colours and choices."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.scene.interior.model import Color

_WALLS: tuple[Color, ...] = ((0.80, 0.82, 0.78), (0.62, 0.71, 0.74), (0.84, 0.77, 0.66), (0.68, 0.74, 0.64))
_ACCENTS: tuple[Color, ...] = ((0.62, 0.70, 0.62), (0.42, 0.54, 0.60), (0.70, 0.56, 0.40), (0.46, 0.56, 0.44))
_FLOORS: tuple[Color, ...] = ((0.66, 0.46, 0.29), (0.52, 0.34, 0.22), (0.74, 0.58, 0.41))
_WOODS: tuple[Color, ...] = ((0.55, 0.35, 0.20), (0.42, 0.26, 0.16), (0.72, 0.54, 0.35))
_CLOTHS: tuple[Color, ...] = ((0.20, 0.42, 0.46), (0.58, 0.24, 0.20), (0.33, 0.38, 0.26), (0.62, 0.52, 0.40))
_RUGS: tuple[tuple[Color, Color], ...] = (
    ((0.55, 0.16, 0.15), (0.90, 0.80, 0.62)),
    ((0.16, 0.26, 0.42), (0.88, 0.78, 0.60)),
    ((0.80, 0.70, 0.54), (0.42, 0.22, 0.18)),
)
_BRICKS: tuple[Color, ...] = ((0.66, 0.36, 0.27), (0.72, 0.60, 0.50), (0.55, 0.30, 0.26))
_TILES: tuple[tuple[Color, Color], ...] = (
    ((0.84, 0.82, 0.77), (0.38, 0.42, 0.44)),
    ((0.86, 0.80, 0.70), (0.66, 0.38, 0.28)),
    ((0.80, 0.83, 0.84), (0.34, 0.46, 0.52)),
)
BRIGHT: tuple[Color, ...] = (
    (0.72, 0.18, 0.16), (0.88, 0.62, 0.18), (0.16, 0.36, 0.56), (0.20, 0.48, 0.36), (0.86, 0.82, 0.72),
    (0.36, 0.20, 0.34), (0.80, 0.42, 0.22), (0.14, 0.18, 0.26), (0.56, 0.66, 0.70), (0.46, 0.28, 0.18),
)  # fmt: skip
"""Colours of small things: books, cushions, vases."""


@dataclass(frozen=True)
class Style:
    """One choice of everything that a seed decides for a whole building."""

    wall: Color
    """Main walls of the living room."""
    wall_accent: Color
    """Pattern of its wallpaper."""
    papered: bool
    """Wallpaper rather than paint."""
    floor: Color
    """Floorboards."""
    wood: Color
    """Furniture."""
    dark_wood: Color
    """Other furniture."""
    cloth: Color
    """Sofa."""
    cloth_accent: Color
    """Cushions."""
    rug: tuple[Color, Color]
    """Ground and pattern of the carpet."""
    brick: Color
    """Back wall of the dining room."""
    tiles: tuple[Color, Color]
    """Its floor."""
    knot: tuple[int, int]
    """Turns of the sculpture around its two axes."""


def choose_style(rng: np.random.Generator) -> Style:
    """A style drawn from ``rng``."""
    wall, wood = int(rng.integers(4)), int(rng.integers(3))
    cloth, offset = int(rng.integers(4)), int(rng.integers(1, 4))
    return Style(
        wall=_WALLS[wall],
        wall_accent=_ACCENTS[wall],
        papered=bool(rng.random() < 0.6),
        floor=_FLOORS[rng.integers(3)],
        wood=_WOODS[wood],
        dark_wood=_WOODS[(wood + 1) % 3],
        cloth=_CLOTHS[cloth],
        cloth_accent=_CLOTHS[(cloth + offset) % 4],
        rug=_RUGS[rng.integers(3)],
        brick=_BRICKS[rng.integers(3)],
        tiles=_TILES[rng.integers(3)],
        knot=((2, 3), (3, 2), (2, 5))[rng.integers(3)],
    )

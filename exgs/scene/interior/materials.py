"""The table of materials."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from exgs.scene.interior import textures
from exgs.scene.interior.paintings import painting
from exgs.scene.interior.textures import Spots


@dataclass(frozen=True)
class Material:
    """How a surface looks and how it is cut into Gaussians."""

    texture: Callable[[Spots], np.ndarray]
    """Albedo at given spots, as displayed."""
    gloss: float = 0.0
    """Strength of mirrored lights, 0 for matt."""
    two_sided: bool = False
    """Lit from both sides: leaves, cloth, paper."""
    glow: float = 0.0
    """Light that the surface gives off by itself, in units of its colour."""
    largest_m: float = 0.07
    """Edge of the largest Gaussian's cell."""
    shell: bool = False
    """Part of floor, walls and ceiling: its rim may bleed and it casts no shadow of the sun."""
    distant: bool = False
    """Outside the windows: cut more coarsely, and lit by itself alone."""


MATERIALS: dict[str, Material] = {
    "plaster": Material(textures.plaster, largest_m=0.12, shell=True),
    "wallpaper": Material(textures.wallpaper, largest_m=0.10, shell=True),
    "bricks": Material(textures.bricks, largest_m=0.08, shell=True),
    "planks": Material(textures.planks, gloss=0.18, largest_m=0.10, shell=True),
    "tiles": Material(textures.tiles, gloss=0.24, largest_m=0.10, shell=True),
    "outdoors": Material(textures.outdoors, glow=1.7, largest_m=0.35, shell=True, distant=True),
    "lawn": Material(textures.lawn, glow=1.3, largest_m=0.4, shell=True, distant=True),
    "wood": Material(textures.wood, gloss=0.08, largest_m=0.06),
    "lacquer": Material(textures.plain, gloss=0.25, largest_m=0.06),
    "ceramic": Material(textures.plain, gloss=0.8, largest_m=0.03),
    "banded": Material(textures.striped, gloss=0.6, largest_m=0.025),
    "metal": Material(textures.plain, gloss=1.1, largest_m=0.03),
    "fabric": Material(textures.fabric, largest_m=0.045),
    "striped": Material(textures.striped, largest_m=0.045),
    "curtain": Material(textures.striped, two_sided=True, glow=0.10, largest_m=0.05),
    "rug": Material(textures.rug, largest_m=0.06),
    "book": Material(textures.book, gloss=0.05, largest_m=0.03),
    "pages": Material(textures.pages, largest_m=0.03),
    "painting": Material(painting, largest_m=0.03),
    "leaf": Material(textures.leaf, gloss=0.12, two_sided=True, largest_m=0.05),
    "stem": Material(textures.plain, largest_m=0.03),
    "stone": Material(textures.stone, gloss=0.12, largest_m=0.03),
    "soil": Material(textures.soil, largest_m=0.03),
    "shade": Material(textures.fabric, two_sided=True, glow=0.8, largest_m=0.04),
    "bulb": Material(textures.plain, glow=1.6, largest_m=0.03),
}

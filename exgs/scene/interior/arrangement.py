"""What stands where, and the lights."""

from __future__ import annotations

import numpy as np

from exgs.scene.interior import furniture, ornaments, plants
from exgs.scene.interior.light import Lamp
from exgs.scene.interior.model import Builder, Look
from exgs.scene.interior.shell import DEPTH_M, FAR_M, HEIGHT_M, WALL_M, WIDTH_M
from exgs.scene.interior.style import BRIGHT, Style

SUN_TOWARD = np.array([0.28, 0.62, 0.78])
"""Direction to the sun: in through the great window, down onto the carpet."""

LAMPS = [
    *(Lamp((x, y, DEPTH_M - 0.35), (2.9, 3.1, 3.4), (0, 0, -1)) for x in (2.2, 3.8) for y in (1.25, 2.0)),
    *(Lamp((FAR_M - 0.35, 1.5, z), (3.0, 3.2, 3.5), (-1, 0, 0)) for z in (2.0, 3.0)),
    Lamp((2.9, HEIGHT_M - 0.52, 2.5), (2.4, 2.05, 1.6)),
    Lamp((4.75, 1.42, 0.55), (1.0, 0.78, 0.5)),
    Lamp((7.8, 1.45, 2.5), (1.8, 1.5, 1.1), (0, -1, 0)),
    Lamp((7.8, 1.75, 2.5), (0.35, 0.3, 0.22)),
    Lamp((2.7, 0.25, 2.9), (2.6, 2.1, 1.5), (0, 1, 0)),
]
"""Windows, lamps, and the sunlit floor, which lights the ceiling."""
GLINTS = [
    Lamp((3.0, 1.7, DEPTH_M), (3, 3, 3), (0, 0, -1)),
    Lamp((FAR_M, 1.6, 2.5), (3, 3, 3), (-1, 0, 0)),
    Lamp((2.9, HEIGHT_M - 0.52, 2.5), (2.4, 2.05, 1.6)),
    Lamp((7.8, 1.55, 2.5), (2.0, 1.7, 1.2)),
]
"""What glossy surfaces mirror."""
SKYLIGHT = (0.34, 0.35, 0.37)
"""Light from everywhere, before dark corners."""


def furnish(home: Builder, style: Style, rng: np.random.Generator) -> None:
    """Everything that can be moved, in both rooms."""
    _living_room(home, style, rng)
    _dining_room(home, style, rng)


def _living_room(home: Builder, style: Style, rng: np.random.Generator) -> None:
    furniture.bookcase(home.at(0.02, 0, 2.1, np.pi / 2), style, rng)
    furniture.sofa(home.at(2.9, 0, 0.12), style, rng)
    home.rect((4.25, 0.012, 1.05), (-2.7, 0, 0), (0, 0, 1.9), Look("rug", *style.rug))
    furniture.low_table(home.at(2.9, 0.012, 1.85, rng.uniform(-0.06, 0.06)), style, rng)
    furniture.armchair(home.at(1.15, 0, 3.75, 2.2 + rng.uniform(-0.2, 0.2)), style.cloth_accent, style.wood)
    ornaments.floor_lamp(home.at(4.75, 0, 0.45))
    ornaments.ceiling_lamp(home.at(2.9, 0, 2.5), HEIGHT_M)
    for x, width, height in ((2.0, 0.55, 0.72), (2.9, 0.80, 0.60), (3.8, 0.55, 0.72)):
        ornaments.picture(home, x, 1.62, width, height, seed=int(rng.integers(60)))
    side = home.at(WIDTH_M - 0.01, 0, 3.72, -np.pi / 2)
    furniture.sideboard(side, style)
    ornaments.picture(side, -0.1, 1.65, 0.9, 0.7, seed=int(rng.integers(60)))
    ornaments.vase(side.at(-0.45, 0.75, 0.2), BRIGHT[rng.integers(3)], (0.92, 0.88, 0.78))
    side.ball((0.5, 0.75 + 0.12, 0.2), 0.12, Look("metal", (0.46, 0.47, 0.50)))
    plants.pot(side.at(0.1, 0.75, 0.2), 0.09, 0.13, (0.86, 0.84, 0.80))
    plants.trailing_plant(side.at(0.1, 0.75, 0.2), rng)
    plants.pot(home.at(0.6, 0, 4.5), 0.20, 0.34, (0.62, 0.36, 0.24))
    plants.palm(home.at(0.6, 0, 4.5), rng)
    ornaments.pedestal(home.at(5.5, 0, 0.5), 1.0)
    ornaments.torus_knot(home.at(5.5, 1.0, 0.5, 0.6), style.knot, 0.24)


def _dining_room(home: Builder, style: Style, rng: np.random.Generator) -> None:
    middle = (WIDTH_M + WALL_M + FAR_M) / 2
    table = home.at(middle, 0, 2.5, np.pi / 2)
    furniture.dining_table(table, style)
    for x, z, yaw in ((-0.36, -0.62, 0.0), (0.36, -0.62, 0.0), (-0.36, 0.62, np.pi), (0.36, 0.66, np.pi)):
        furniture.chair(table.at(x, 0, z, yaw + rng.uniform(-0.25, 0.25)), style)
    ornaments.pendant(home.at(middle, 0, 2.5), HEIGHT_M, 1.52)
    ornaments.pedestal(home.at(FAR_M - 0.55, 0, 0.55), 1.05)
    ornaments.bust(home.at(FAR_M - 0.55, 1.05, 0.55, -0.7))
    ornaments.picture(home, 7.4, 1.6, 1.1, 0.8, seed=int(rng.integers(60)))
    back = home.at(middle, 0, DEPTH_M, np.pi)
    ornaments.picture(back, 0.7, 1.6, 0.5, 0.65, seed=int(rng.integers(60)))
    ornaments.picture(back, -0.1, 1.6, 0.5, 0.65, seed=int(rng.integers(60)))
    plants.pot(home.at(6.65, 0, 4.5), 0.19, 0.30, (0.24, 0.34, 0.42))
    plants.rubber_tree(home.at(6.65, 0, 4.5), rng)
    plants.pot(home.at(9.2, 0, 4.5), 0.16, 0.26, (0.84, 0.80, 0.74))
    plants.palm(home.at(9.2, 0, 4.5), rng, tall=1.1, fronds=8)
    ornaments.wall_clock(home.at(WIDTH_M + WALL_M, 0, 3.4, np.pi / 2), 0.0, 1.9)
    bowl = [(0.07, 0.0), (0.15, 0.06), (0.17, 0.11), (0.16, 0.11), (0.13, 0.06), (0.0, 0.03)]
    table.turned(bowl, Look("banded", BRIGHT[rng.integers(3)], (0.95, 0.9, 0.8)), base=(0, 0.756, 0))

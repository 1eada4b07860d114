"""Pictures, lamps, vases and sculptures."""

from __future__ import annotations

import numpy as np

from exgs.scene.interior.model import Builder, Color, Look

BRASS: Color = (0.74, 0.58, 0.30)
MARBLE: tuple[Color, Color] = ((0.88, 0.87, 0.85), (0.48, 0.47, 0.50))


def picture(wall: Builder, x: float, y: float, width: float, height: float, *, seed: int) -> None:
    """A framed painting on a wall at z = 0; x and y are its middle."""
    frame = Look("wood", ((0.16, 0.12, 0.10), (0.66, 0.50, 0.26), (0.88, 0.86, 0.82))[seed % 3], seed=seed)
    left, low, edge = x - width / 2, y - height / 2, 0.035
    inner = (left + edge, low + edge, left + width - edge, low + height - edge)
    wall.rect(
        (inner[2], inner[1], 0.014),
        (0, inner[3] - inner[1], 0),
        (inner[0] - inner[2], 0, 0),
        Look("painting", (1, 1, 1), seed=seed),
    )
    for bottom in (low, low + height - edge):
        wall.box((left, bottom, 0), (left + width, bottom + edge, 0.03), frame, without="z-")
    for side in (left, left + width - edge):
        wall.box((side, low + edge, 0), (side + edge, low + height - edge, 0.03), frame, without="z-y-y+")


def pedestal(here: Builder, tall: float) -> None:
    """A stone column with plinth and slab."""
    stone = Look("stone", (0.80, 0.78, 0.74), (0.55, 0.52, 0.50))
    here.box((-0.19, 0, -0.19), (0.19, 0.08, 0.19), stone, without="y-")
    here.turned([(0.15, 0.08), (0.15, 0.10), (0.125, 0.13), (0.12, tall - 0.12), (0.15, tall - 0.06)], stone)
    here.box((-0.18, tall - 0.06, -0.18), (0.18, tall, 0.18), stone)


def torus_knot(here: Builder, turns: tuple[int, int], size: float) -> None:
    """A bronze knot; ``turns`` counts its rounds about the two axes of a torus."""
    angle = np.linspace(0, 2 * np.pi, 160)
    around, through = turns
    radius = size * (0.62 + 0.26 * np.cos(through * angle))
    path = np.stack(
        [
            radius * np.cos(around * angle),
            size + 0.30 * size * np.sin(through * angle),
            radius * np.sin(around * angle),
        ],
        axis=1,
    )
    upright = path[:, [0, 2, 1]] + (0, 0.95 * size, -0.95 * size)
    bronze = Look("metal", (0.45, 0.29, 0.15))
    for part in np.array_split(np.arange(159), 6):
        here.tube(upright[part[0] : part[-1] + 2], 0.075 * size / 0.3 * 0.9, bronze)
    here.turned([(0.09, 0.0), (0.07, 0.02), (0.02, 0.05), (0.02, 0.12)], Look("metal", (0.2, 0.18, 0.16)))


def bust(here: Builder) -> None:
    """A marble head and shoulders, stylised."""
    stone = Look("stone", *MARBLE, seed=2)
    here.turned([(0.10, 0.0), (0.10, 0.03), (0.06, 0.05), (0.055, 0.11)], stone)
    here.pillow((0, 0.255, -0.01), (0.235, 0.085, 0.10), stone, power=2.5)
    here.pillow((0, 0.19, 0.015), (0.165, 0.12, 0.115), stone, power=2.8)
    here.tube([(0, 0.28, -0.01), (0, 0.42, 0.015)], [0.075, 0.062], stone)
    here.pillow((0, 0.53, 0.015), (0.088, 0.125, 0.105), stone, power=2.2)
    here.pillow((0, 0.465, 0.055), (0.055, 0.05, 0.06), stone, power=2.2)
    here.pillow((0, 0.52, 0.122), (0.014, 0.036, 0.022), stone, power=2.0, lean=-0.35)
    here.pillow((0, 0.567, 0.100), (0.068, 0.014, 0.026), stone, power=2.4)
    for y, half in ((0.462, 0.028), (0.448, 0.024)):
        here.pillow((0, y, 0.108), (half, 0.008, 0.012), stone, power=2.0)
    for side in (-1, 1):
        here.pillow((side * 0.037, 0.545, 0.098), (0.017, 0.010, 0.013), stone, power=2.0)
        here.pillow((side * 0.089, 0.525, 0.01), (0.012, 0.032, 0.022), stone, power=2.2)
    for number in range(26):
        angle = 2.399963 * number
        high = 0.56 + 0.1 * (number % 7) / 6
        ring = 0.094 * np.sqrt(max(0.05, 1 - ((high - 0.53) / 0.145) ** 2))
        z = 0.008 - ring * 1.12 * abs(np.cos(angle)) if high < 0.6 else 0.01 + ring * np.cos(angle)
        here.ball((ring * np.sin(angle), high, z), 0.026, stone)


def vase(here: Builder, color: Color, accent: Color, tall: float = 0.36) -> None:
    """A glazed vase."""
    profile = [
        (0.05, 0),
        (0.075, 0.04),
        (0.115, 0.30),
        (0.12, 0.45),
        (0.09, 0.68),
        (0.045, 0.84),
        (0.042, 0.92),
        (0.065, 1.0),
        (0.058, 1.0),
        (0.036, 0.9),
        (0.036, 0.4),
    ]
    look = Look("banded" if color[0] > 0.5 else "ceramic", color, accent, seed=2)
    here.turned([(r * tall / 0.36, y * tall) for r, y in profile], look)


def ceiling_lamp(here: Builder, ceiling: float) -> None:
    """A glass globe on a rod."""
    here.rod((0, ceiling - 0.42, 0), (0, ceiling, 0), 0.008, Look("metal", BRASS))
    here.turned([(0.0, 0.0), (0.06, 0.01), (0.06, 0.03)], Look("metal", BRASS), base=(0, ceiling - 0.03, 0))
    here.ball((0, ceiling - 0.52, 0), 0.13, Look("bulb", (0.98, 0.90, 0.76)))


def pendant(here: Builder, ceiling: float, low: float) -> None:
    """A shade on a long wire."""
    here.rod((0, low + 0.18, 0), (0, ceiling, 0), 0.004, Look("stem", (0.1, 0.1, 0.1)))
    profile = [(0.22, 0.0), (0.20, 0.06), (0.13, 0.14), (0.05, 0.19), (0.02, 0.24)]
    here.turned(profile, Look("lacquer", (0.16, 0.30, 0.30)), base=(0, low, 0))
    here.turned(
        [(0.21, 0.005), (0.19, 0.06), (0.12, 0.135), (0.0, 0.17)],
        Look("shade", (0.95, 0.88, 0.7)),
        base=(0, low, 0),
    )
    here.ball((0, low + 0.06, 0), 0.05, Look("bulb", (1.0, 0.92, 0.78)))


def floor_lamp(here: Builder) -> None:
    """A reading lamp with a cloth shade, 1.6 m tall."""
    metal = Look("metal", (0.24, 0.22, 0.20))
    here.turned([(0.15, 0.0), (0.15, 0.015), (0.02, 0.03), (0.012, 0.06)], metal)
    here.rod((0, 0.03, 0), (0, 1.42, 0), 0.011, metal)
    here.tube([(0, 1.30, 0), (0, 1.58, 0)], [0.20, 0.13], Look("shade", (0.95, 0.86, 0.68)))


def wall_clock(wall: Builder, x: float, y: float) -> None:
    """A round clock on a wall at z = 0."""
    face = [(0.0, 0.03), (0.13, 0.03), (0.13, 0.04), (0.15, 0.04), (0.15, 0.0)]
    angle = np.array([[1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
    del angle
    for radius, z in face[:1]:
        wall.ball((x, y, z), radius + 0.012, Look("metal", (0.1, 0.1, 0.1)))
    wall.tube(
        [(x, y, 0.0), (x, y, 0.04), (x, y, 0.0401), (x, y, 0.0402)],
        [0.15, 0.15, 0.13, 0.0],
        Look("lacquer", (0.93, 0.92, 0.88)),
    )
    for number in range(12):
        turn = np.pi * number / 6
        tip = np.array([np.sin(turn), np.cos(turn), 0])
        wall.rod(
            tuple((x, y, 0.046) + 0.105 * tip),
            tuple((x, y, 0.046) + 0.122 * tip),
            0.004,
            Look("lacquer", (0.1, 0.1, 0.1)),
        )
    for length, turn in ((0.07, 5.3), (0.1, 1.05)):
        wall.rod(
            (x, y, 0.047),
            (x + length * np.sin(turn), y + length * np.cos(turn), 0.047),
            0.004,
            Look("lacquer", (0.1, 0.1, 0.1)),
        )

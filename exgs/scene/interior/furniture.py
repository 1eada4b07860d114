"""Sofa, tables, chairs, shelves. Every piece stands at the origin of its builder and faces +z."""

from __future__ import annotations

import numpy as np

from exgs.scene.interior.model import Builder, Color, Look
from exgs.scene.interior.style import BRIGHT, Style


def sofa(here: Builder, style: Style, rng: np.random.Generator) -> None:
    """A three-seater with throw cushions, 2.2 m wide."""
    cloth, legs = Look("fabric", style.cloth, seed=3), Look("wood", style.dark_wood)
    here.pillow((0, 0.25, 0.45), (1.08, 0.13, 0.42), cloth, power=9)
    here.pillow((0, 0.55, 0.12), (1.08, 0.36, 0.13), cloth, power=6, lean=-0.08)
    for side in (-1, 1):
        here.pillow((side * 1.04, 0.40, 0.45), (0.12, 0.27, 0.45), cloth, power=5)
        for z in (0.12, 0.78):
            here.rod((side * 0.98, 0, z), (side * 0.98, 0.15, z), 0.022, legs)
    for number, x in enumerate((-0.62, 0.0, 0.62)):
        tone = Look("fabric", style.cloth, seed=10 + number)
        here.pillow((x, 0.44, 0.52), (0.305, 0.09, 0.34), tone, power=5)
        here.pillow((x, 0.69, 0.27), (0.30, 0.22, 0.10), tone, power=4, lean=-0.18)
    for number, x in enumerate((-0.78, -0.42, 0.72)):
        look = Look("striped", style.cloth_accent, BRIGHT[rng.integers(len(BRIGHT))], seed=number)
        here.at(x, 0.66, 0.42, 0.35 * (1 - number)).pillow(
            (0, 0, 0), (0.2, 0.2, 0.07), look, power=2.6, lean=-0.35
        )


def armchair(here: Builder, color: Color, wood: Color) -> None:
    """A low chair with wooden arms."""
    cloth, frame = Look("fabric", color, seed=8), Look("wood", wood)
    here.pillow((0, 0.38, 0.36), (0.31, 0.09, 0.33), cloth, power=5)
    here.pillow((0, 0.68, 0.08), (0.30, 0.30, 0.085), cloth, power=4, lean=-0.25)
    for x in (-0.36, 0.36):
        here.rod((x, 0, 0.66), (x, 0.56, 0.62), 0.02, frame)
        here.rod((x, 0, -0.06), (x, 0.60, -0.02), 0.02, frame)
        here.box((x - 0.035, 0.56, -0.08), (x + 0.035, 0.59, 0.70), frame)
        here.rod((x, 0.27, 0.0), (x, 0.27, 0.64), 0.014, frame)


def low_table(here: Builder, style: Style, rng: np.random.Generator) -> None:
    """A coffee table with books and a bowl of fruit."""
    wood = Look("wood", style.wood, seed=4)
    here.box((-0.55, 0.38, -0.30), (0.55, 0.415, 0.30), wood)
    here.box((-0.50, 0.14, -0.26), (0.50, 0.16, 0.26), wood)
    for x in (-0.5, 0.5):
        for z in (-0.25, 0.25):
            here.tube([(x, 0, z), (x, 0.38, z)], [0.016, 0.024], wood)
    top = 0.415
    for number in range(3):
        look = Look("lacquer", BRIGHT[rng.integers(len(BRIGHT))])
        pile = here.at(-0.28, top + 0.032 * number, 0.02, rng.uniform(-0.3, 0.3))
        pile.box((-0.14, 0.0, -0.1), (0.14, 0.03, 0.1), look, without="y-")
    bowl = Look("ceramic", (0.86, 0.84, 0.78))
    profile = [
        (0.05, 0.0),
        (0.07, 0.01),
        (0.14, 0.06),
        (0.165, 0.10),
        (0.155, 0.10),
        (0.12, 0.06),
        (0.0, 0.03),
    ]
    here.turned(profile, bowl, base=(0.24, top, 0.0))
    for x, z, color in ((0.19, 0.02, 0), (0.29, 0.04, 1), (0.24, -0.06, 6), (0.25, 0.0, 1)):
        here.ball((x, top + (0.12 if z else 0.17), z), 0.047, Look("ceramic", BRIGHT[color]))


def dining_table(here: Builder, style: Style) -> None:
    """A table for four, its longer side along x."""
    wood = Look("wood", style.dark_wood, seed=6)
    here.box((-0.75, 0.72, -0.42), (0.75, 0.755, 0.42), wood)
    here.box((-0.66, 0.63, -0.34), (0.66, 0.72, -0.32), wood, without="y+")
    here.box((-0.66, 0.63, 0.32), (0.66, 0.72, 0.34), wood, without="y+")
    for x in (-0.66, 0.66):
        for z in (-0.34, 0.34):
            here.tube([(x, 0, z), (x, 0.5, z), (x, 0.72, z)], [0.018, 0.033, 0.033], wood)
    plate, cup = Look("ceramic", (0.92, 0.92, 0.90)), Look("banded", (0.90, 0.90, 0.86), (0.20, 0.34, 0.55))
    for x, z in ((-0.36, -0.24), (0.36, -0.24), (-0.36, 0.24), (0.36, 0.24)):
        here.turned(
            [(0.06, 0), (0.11, 0.012), (0.12, 0.018), (0.10, 0.014), (0.0, 0.010)], plate, base=(x, 0.756, z)
        )
        rim = [(0.025, 0), (0.035, 0.03), (0.038, 0.085), (0.034, 0.085), (0.03, 0.02), (0, 0.015)]
        here.turned(rim, cup, base=(x + 0.17, 0.756, z * 0.8))


def chair(here: Builder, style: Style) -> None:
    """A chair with thin legs and a back of rods."""
    wood, seat = Look("wood", style.wood, seed=9), Look("fabric", style.cloth, seed=5)
    here.pillow((0, 0.455, 0.0), (0.21, 0.03, 0.21), seat, power=5)
    for x in (-0.18, 0.18):
        here.tube([(x, 0, 0.2), (x * 0.95, 0.44, 0.17)], [0.011, 0.018], wood)
        here.tube([(x, 0, -0.23), (x, 0.45, -0.18), (x, 0.92, -0.27)], [0.011, 0.018, 0.012], wood)
        here.rod((x, 0.2, 0.19), (x, 0.2, -0.2), 0.008, wood)
    for x in (-0.12, -0.06, 0.0, 0.06, 0.12):
        here.rod((x, 0.48, -0.185), (x, 0.86, -0.255), 0.006, wood)
    here.tube([(-0.19, 0.87, -0.265), (0, 0.89, -0.275), (0.19, 0.87, -0.265)], 0.018, wood)
    here.rod((-0.18, 0.47, -0.185), (0.18, 0.47, -0.185), 0.012, wood)


def bookcase(here: Builder, style: Style, rng: np.random.Generator, *, width: float = 2.0) -> None:
    """Shelves against a wall at z = 0, full of books with a few ornaments between."""
    wood, deep, tall, rows = Look("wood", style.dark_wood, seed=7), 0.30, 2.2, 6
    half, board = width / 2, 0.024
    for x in (-half, -board / 2, half - board):
        here.box((x, 0, 0), (x + board, tall, deep), wood, without="y-z-")
    here.rect((-half, 0, 0.012), (width, 0, 0), (0, tall, 0), Look("wood", style.dark_wood, seed=8))
    for row in range(rows + 1):
        y = 0.06 + row * (tall - 0.08) / rows
        here.box((-half, y - board, 0), (half, y, deep), wood, without="x-x+z-")
    height = (tall - 0.08) / rows - board
    for row in range(rows):
        for left in (-half + board, board / 2):
            right = left + half - 1.5 * board
            _shelf_load(here.at(0, 0.06 + row * (tall - 0.08) / rows, 0), left, right, height, rng)


def _shelf_load(shelf: Builder, left: float, right: float, height: float, rng: np.random.Generator) -> None:
    """Books from left to right, sometimes a gap with an ornament, sometimes a pile."""
    x = left + 0.01
    while x < right - 0.05:
        pick = rng.random()
        if pick < 0.05 and x < right - 0.22:
            _ornament(shelf, x + 0.09, height, rng)
            x += 0.19
        elif pick < 0.09 and x < right - 0.28:
            x += _pile(shelf, x, rng)
        else:
            x += _book(shelf, x, height, rng)


def _book(shelf: Builder, x: float, height: float, rng: np.random.Generator) -> float:
    """A standing book; its thickness."""
    thick, tall, deep = rng.uniform(0.018, 0.05), height * rng.uniform(0.62, 0.93), rng.uniform(0.17, 0.25)
    color, accent = BRIGHT[rng.integers(len(BRIGHT))], BRIGHT[rng.integers(len(BRIGHT))]
    cover = Look("book", color, accent, seed=int(rng.integers(10000)))
    side, paper = Look("lacquer", color), Look("pages", (0.88, 0.84, 0.74))
    shelf.rect((x + thick, 0, deep), (0, tall, 0), (-thick + 0.002, 0, 0), cover)
    shelf.rect((x, tall, 0.03), (0, 0, deep - 0.03), (thick, 0, 0), paper)
    shelf.rect((x + thick - 0.002, 0, deep), (0, 0, 0.03 - deep), (0, tall, 0), side)
    shelf.rect((x + 0.001, 0, 0.03), (0, 0, deep - 0.03), (0, tall, 0), side)
    return float(thick)


def _pile(shelf: Builder, x: float, rng: np.random.Generator) -> float:
    """A few lying books; the width they take."""
    y = 0.0
    for _ in range(int(rng.integers(2, 5))):
        thick, wide = rng.uniform(0.02, 0.045), rng.uniform(0.18, 0.22)
        look = Look("lacquer", BRIGHT[rng.integers(len(BRIGHT))])
        shelf.box((x, y, 0.06), (x + wide, y + thick, rng.uniform(0.2, 0.25)), look, without="y-z-")
        y += thick
    return 0.24


def _ornament(shelf: Builder, x: float, height: float, rng: np.random.Generator) -> None:
    color = BRIGHT[rng.integers(len(BRIGHT))]
    if rng.random() < 0.5:
        size = 0.3 * height
        shelf.ball((x, 0.25 * height, 0.16), 0.25 * height, Look("ceramic", color))
        shelf.turned([(size * 0.5, 0), (size * 0.3, 0.02)], Look("wood", (0.2, 0.14, 0.1)), base=(x, 0, 0.16))
    else:
        profile = [(0.03, 0), (0.055, 0.06), (0.05, 0.11), (0.018, 0.16), (0.03, 0.2)]
        scaled = [(r, y * height / 0.26) for r, y in profile]
        shelf.turned(
            scaled, Look("banded", color, (0.9, 0.88, 0.8), seed=int(rng.integers(9))), base=(x, 0, 0.16)
        )


def sideboard(here: Builder, style: Style) -> None:
    """A low cupboard against a wall at z = 0, 1.5 m wide, its top at 0.75 m."""
    body, door = Look("wood", style.wood, seed=12), Look("wood", style.wood, seed=13)
    knob = Look("metal", (0.72, 0.60, 0.34))
    here.box((-0.75, 0.16, 0.0), (0.75, 0.75, 0.42), body, without="z-")
    for number, x in enumerate((-0.73, -0.235, 0.26)):
        here.box((x, 0.19, 0.42), (x + 0.475, 0.71, 0.436), door, without="z-")
        here.ball((x + (0.43 if number == 0 else 0.045), 0.45, 0.452), 0.016, knob)
    for x in (-0.68, 0.68):
        for z in (0.05, 0.37):
            here.tube([(x * 1.03, 0, z), (x, 0.16, z)], [0.012, 0.024], body)

"""Floors, walls, ceilings, windows and the door between the rooms."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from exgs.scene.interior.light import Window
from exgs.scene.interior.model import Builder, Color, Look, Point
from exgs.scene.interior.style import Style

WIDTH_M, DEPTH_M, HEIGHT_M = 6.0, 5.0, 2.8
WALL_M = 0.15
FAR_M = 9.5
"""Right end of the second room along x; it starts at ``WIDTH_M + WALL_M``."""
DOOR = (1.5, 2.5, 0.0, 2.1)
"""Span along z and height of the opening between the rooms."""
GREAT_WINDOW = Window(axis=2, plane=DEPTH_M, low=(1.5, 0.85), high=(4.5, 2.4), bars=(3, 2))
SMALL_WINDOW = Window(axis=0, plane=FAR_M, low=(1.5, 0.9), high=(3.5, 2.3), bars=(2, 1), slats_m=0.09)
_WHITE: Color = (0.88, 0.87, 0.84)
_SKY: tuple[Color, Color] = ((0.86, 0.91, 0.95), (0.42, 0.62, 0.88))

Opening = tuple[float, float, float, float]


def build_shell(home: Builder, style: Style) -> None:
    """Both rooms, empty."""
    paper = Look("wallpaper" if style.papered else "plaster", style.wall, style.wall_accent)
    paint = Look("plaster", style.wall)
    light = Look("plaster", (0.86, 0.83, 0.77))
    brick = Look("bricks", style.brick, (0.74, 0.71, 0.66))
    start, great, small = WIDTH_M + WALL_M, GREAT_WINDOW, SMALL_WINDOW
    _level(home, 0.0, WIDTH_M, Look("planks", style.floor))
    _level(home, start, FAR_M, Look("tiles", *style.tiles))
    _wall(home, (0, 0, 0), (WIDTH_M, 0, 0), paper)
    _wall(home, (0, 0, DEPTH_M), (0, 0, -DEPTH_M), paint)
    _wall(home, (WIDTH_M, 0, 0), (0, 0, DEPTH_M), paint, DOOR)
    _wall(home, (WIDTH_M, 0, DEPTH_M), (-WIDTH_M, 0, 0), paint, _pierced(WIDTH_M, great))
    _wall(home, (start, 0, 0), (FAR_M - start, 0, 0), brick)
    _wall(
        home,
        (start, 0, DEPTH_M),
        (0, 0, -DEPTH_M),
        light,
        (DEPTH_M - DOOR[1], DEPTH_M - DOOR[0], 0.0, DOOR[3]),
    )
    _wall(
        home,
        (FAR_M, 0, 0),
        (0, 0, DEPTH_M),
        light,
        (small.low[0], small.high[0], small.low[1], small.high[1]),
    )
    _wall(home, (FAR_M, 0, DEPTH_M), (start - FAR_M, 0, 0), light)
    _door_frame(home)
    _skirting(home, 0.0, WIDTH_M)
    _skirting(home, start, FAR_M)
    _window(home.at(0, 0, DEPTH_M), great)
    east = home.at(FAR_M, 0, 0, np.pi / 2)
    _window(east, _turned_round(small))
    _blind(east, _turned_round(small))
    _curtains(home.at(0, 0, DEPTH_M), great, style)


def _level(home: Builder, left: float, right: float, floor: Look) -> None:
    home.rect((left, 0, 0), (0, 0, DEPTH_M), (right - left, 0, 0), floor)
    home.rect((left, HEIGHT_M, 0), (right - left, 0, 0), (0, 0, DEPTH_M), Look("plaster", _WHITE))


def _pierced(length: float, window: Window) -> Opening:
    return (length - window.high[0], length - window.low[0], window.low[1], window.high[1])


def _turned_round(window: Window) -> Window:
    """The window as a builder sees it whose x axis points against the wall's coordinate."""
    low, high = (-window.high[0], window.low[1]), (-window.low[0], window.high[1])
    return replace(window, low=low, high=high)


def _wall(home: Builder, corner: Point, along: Point, look: Look, opening: Opening | None = None) -> None:
    """A wall that faces the side of along x up, in up to four pieces around its opening."""
    length = float(np.linalg.norm(along))
    pieces: list[Opening] = [(0.0, length, 0.0, HEIGHT_M)]
    if opening:
        left, right, low, high = opening
        pieces = [(0.0, left, 0.0, HEIGHT_M), (right, length, 0.0, HEIGHT_M)]
        pieces += [(left, right, 0.0, low), (left, right, high, HEIGHT_M)]
    for left, right, low, high in pieces:
        if right > left and high > low:
            piece = np.add(np.add(corner, (0, low, 0)), np.multiply(along, left / length))
            run = np.multiply(along, (right - left) / length)
            shifted = Look(look.material, look.color, look.accent, look.seed, (left, low))
            home.rect(piece, run, (0, high - low, 0), shifted)


def _door_frame(home: Builder) -> None:
    near, far, _, top = DOOR
    trim = Look("lacquer", _WHITE)
    for z in (near - 0.07, far):
        home.box((WIDTH_M - 0.03, 0, z), (WIDTH_M + WALL_M + 0.03, top + 0.07, z + 0.07), trim, without="y-")
    home.box((WIDTH_M - 0.03, top, near), (WIDTH_M + WALL_M + 0.03, top + 0.07, far), trim)
    home.rect((WIDTH_M, 0.001, near), (0, 0, far - near), (WALL_M, 0, 0), Look("wood", (0.4, 0.26, 0.16)))


def _skirting(home: Builder, left: float, right: float) -> None:
    """Boards along the foot of the walls and a moulding below the ceiling."""
    trim, door = Look("lacquer", _WHITE), DOOR
    for low, high, deep in ((0.0, 0.1, 0.018), (HEIGHT_M - 0.06, HEIGHT_M, 0.05)):
        for z in (0.0, DEPTH_M - deep):
            home.box(
                (left, low, z), (right, high, z + deep), trim, without="x-x+y-" if low == 0 else "x-x+y+"
            )
        for x in (left, right - deep):
            beside_door = abs(x + deep / 2 - WIDTH_M - WALL_M / 2) < 0.2 and low == 0
            spans = [(0.0, door[0] - 0.07), (door[1] + 0.07, DEPTH_M)] if beside_door else [(0.0, DEPTH_M)]
            for near, far in spans:
                home.box(
                    (x, low, near), (x + deep, high, far), trim, without="z-z+y-" if low == 0 else "z-z+y+"
                )


def _window(wall: Builder, window: Window) -> None:
    """Frame, bars, sill and the world outside. The wall's inner face is z = 0, outside is z > 0."""
    trim = Look("lacquer", (0.93, 0.93, 0.91))
    (left, low), (right, high) = window.low, window.high
    deep = WALL_M
    for x in (left, right - 0.05):
        wall.box((x, low, 0.0), (x + 0.05, high, deep), trim, without="z+")
    for y in (low, high - 0.05):
        wall.box((left, y, 0.0), (right, y + 0.05, deep), trim, without="z+")
    for number in range(1, window.bars[0]):
        x = left + (right - left) * number / window.bars[0]
        wall.box((x - 0.03, low, 0.04), (x + 0.03, high, 0.09), trim, without="y-y+z+")
    for number in range(1, window.bars[1]):
        y = low + (high - low) * number / window.bars[1]
        wall.box((left, y - 0.02, 0.05), (right, y + 0.02, 0.085), trim, without="x-x+z+")
    wall.box((left - 0.1, low - 0.04, -0.16), (right + 0.1, low, 0.02), trim, without="z+")
    _outdoors(wall, left, right)


def _outdoors(wall: Builder, left: float, right: float) -> None:
    """A bay of painted landscape in front of a window, and a lawn in it."""
    bay = [(left - 3.4, 0.2), (left - 2.2, 1.8), (left - 0.4, 2.7)]
    bay += [(left + right - x, z) for x, z in reversed(bay)]
    run = 0.0
    for (x, z), (next_x, next_z) in pairwise(bay):
        across = (next_x - x, 0.0, next_z - z)
        look = Look("outdoors", *_SKY, shift=(0.0, run))
        wall.blade(((x + next_x) / 2, -0.5, (z + next_z) / 2), (0, 6.5, 0), across, look)
        run += float(np.linalg.norm(across))
    width = right - left + 6.8
    wall.rect((left - 3.4, -0.5, WALL_M), (0, 0, 2.6), (width, 0, 0), Look("lawn", (0.42, 0.55, 0.22)))


def _blind(wall: Builder, window: Window) -> None:
    """A half-lowered Venetian blind: tilted slats on two cords."""
    slat, cord = Look("lacquer", (0.90, 0.86, 0.78)), Look("stem", (0.75, 0.72, 0.66))
    (left, low), (right, high) = window.low, window.high
    bottom = low + 0.42 * (high - low)
    for y in np.arange(bottom, high - 0.06, 0.065):
        wall.blade((left + 0.03, y, -0.035), (right - left - 0.06, 0, 0), (0, -0.03, -0.045), slat)
    for x in (left + 0.3, right - 0.3):
        wall.rod((x, bottom, -0.035), (x, high, -0.035), 0.0025, cord)
    wall.box((left, high - 0.06, -0.08), (right, high, -0.01), slat, without="z+")
    wall.rod((right - 0.1, low - 0.25, -0.09), (right - 0.1, high, -0.07), 0.003, cord)


def _curtains(wall: Builder, window: Window, style: Style) -> None:
    """Two drawn curtains on a rod."""
    look = Look("curtain", style.cloth_accent, (0.90, 0.86, 0.78))
    (left, _), (right, high) = window.low, window.high
    for x in (left - 0.28, right + 0.28):
        wall.blade((x, 0.04, -0.13), (0, high + 0.1, 0), (0.62, 0, 0), look, waves=(5.0, 0.035))
    rod = Look("metal", (0.42, 0.34, 0.22))
    wall.rod((left - 0.7, high + 0.15, -0.13), (right + 0.7, high + 0.15, -0.13), 0.012, rod)
    for x in (left - 0.72, right + 0.72):
        wall.ball((x, high + 0.15, -0.13), 0.03, rod)

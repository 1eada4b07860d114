"""Potted plants: stems and many leaves."""

from __future__ import annotations

import numpy as np

from exgs.scene.interior.model import Builder, Color, Look

_GREENS: tuple[Color, ...] = ((0.16, 0.42, 0.16), (0.24, 0.50, 0.20), (0.13, 0.36, 0.20), (0.34, 0.54, 0.22))
_RIB: Color = (0.58, 0.70, 0.36)


def pot(here: Builder, radius: float, tall: float, color: Color) -> None:
    """A pot with soil."""
    profile = [
        (0.72 * radius, 0.0),
        (0.9 * radius, 0.6 * tall),
        (radius, 0.9 * tall),
        (1.06 * radius, 0.9 * tall),
    ]
    here.turned(
        [*profile, (1.06 * radius, tall), (0.93 * radius, tall), (0.9 * radius, 0.92 * tall)],
        Look("ceramic", color),
    )
    here.turned([(0.92 * radius, 0.93 * tall), (0.0, 0.95 * tall)], Look("soil", (0.26, 0.18, 0.12)))


def palm(here: Builder, rng: np.random.Generator, *, tall: float = 1.7, fronds: int = 11) -> None:
    """Arching fronds with two rows of narrow leaves."""
    for number in range(fronds):
        turn = 2.399963 * number + rng.uniform(-0.2, 0.2)
        rise, reach = tall * rng.uniform(0.6, 1.0), tall * rng.uniform(0.3, 0.55)
        part = np.linspace(0, 1, 12)[:, None]
        out = np.array([np.cos(turn), 0.0, np.sin(turn)])
        path = (0, 0.3, 0) + part**1.6 * reach * out + (part * 1.35 - part**3 * 0.45) * (0, rise - 0.3, 0)
        here.tube(path, np.linspace(0.009, 0.003, 12), Look("stem", (0.34, 0.46, 0.20)))
        side = np.cross(out, (0.0, 1.0, 0.0))
        for place in np.linspace(0.38, 0.99, 13):
            start = np.array([np.interp(place, part[:, 0], path[:, axis]) for axis in range(3)])
            length = 0.30 * tall * np.sin(np.pi * (0.2 + 0.75 * place)) * 0.6
            for way in (-1.0, 1.0):
                along = length * (0.75 * way * side + 0.45 * out + np.array([0, 0.25, 0]))
                width = 0.030 * np.cross(along / length, (0.1, 1.0, 0.2))
                here.blade(start, along, width, _green(rng), bend=(0, -0.35 * length, 0), taper=1.0)


def rubber_tree(here: Builder, rng: np.random.Generator, *, tall: float = 1.4, leaves: int = 46) -> None:
    """A branched stem with large oval leaves."""
    bark = Look("stem", (0.36, 0.27, 0.18))
    for branch in range(3):
        turn = 2.1 * branch + rng.uniform(-0.3, 0.3)
        lean = 0.22 * tall * np.array([np.cos(turn), 0, np.sin(turn)])
        path = np.array(
            [
                (0, 0.25, 0),
                np.add(0.35 * lean, (0, 0.25 + 0.2 * tall, 0)),
                np.add(lean, (0, tall - 0.15 * branch, 0)),
            ]
        )
        here.tube(path, [0.016, 0.013, 0.006], bark)
        for number in range(leaves // 3):
            place = 0.7 + 1.3 * (number + 0.5) / (leaves // 3)
            start = np.array([np.interp(place, range(3), path[:, axis]) for axis in range(3)])
            _leaf(here, start, 2.399963 * number + branch, rng.uniform(0.16, 0.27), rng)


def trailing_plant(here: Builder, rng: np.random.Generator, *, strands: int = 9) -> None:
    """Strands with small leaves that hang over the rim of a pot."""
    for number in range(strands):
        turn = 2.399963 * number
        out = np.array([np.cos(turn), 0, np.sin(turn)])
        drop = rng.uniform(0.15, 0.5)
        path = np.array(
            [
                (0, 0.12, 0) + 0.05 * out,
                (0, 0.17, 0) + 0.13 * out,
                (0, 0.02, 0) + 0.19 * out,
                (0, -drop, 0) + 0.2 * out,
            ]
        )
        here.tube(path, 0.003, Look("stem", (0.38, 0.50, 0.24)))
        for place in np.linspace(0.4, 3.0, 9):
            start = np.array([np.interp(place, range(4), path[:, axis]) for axis in range(3)])
            _leaf(here, start, turn + 2.0 * place, 0.07, rng)


def _leaf(here: Builder, start: np.ndarray, turn: float, length: float, rng: np.random.Generator) -> None:
    """An oval leaf that rises outwards and droops at its tip."""
    out = np.array([np.cos(turn), 0.0, np.sin(turn)])
    along = length * (out + np.array([0, rng.uniform(0.2, 0.9), 0]))
    width = 0.55 * length * np.cross((0.0, 1.0, 0.0), out) + (0, 0.1 * length * rng.uniform(-1, 1), 0)
    here.blade(start, along, width, _green(rng), bend=(0, -rng.uniform(0.3, 0.8) * length, 0), taper=1.0)


def _green(rng: np.random.Generator) -> Look:
    color = np.array(_GREENS[rng.integers(len(_GREENS))]) * rng.uniform(0.8, 1.2)
    return Look("leaf", (float(color[0]), float(color[1]), float(color[2])), _RIB)

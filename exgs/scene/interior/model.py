"""The builder: furniture says what stands where, and gets batches of surfaces with their looks."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from exgs.scene.interior.shapes import Blades, Pillows, Surface, Tubes

Color = tuple[float, float, float]
Point = tuple[float, float, float]
Vector = Point | np.ndarray

RINGS = 40
"""Rings of every tube."""


@dataclass(frozen=True)
class Look:
    """What an item is made of."""

    material: str
    """Name in the table of materials."""
    color: Color
    """Main colour as displayed, each channel in [0, 1]."""
    accent: Color = (0.5, 0.5, 0.5)
    """Second colour of the texture."""
    seed: int = 0
    """Tells apart items of one material."""
    shift: tuple[float, float] = (0.0, 0.0)
    """Texture coordinates of the item's corner, in metres."""


@dataclass(frozen=True, eq=False)
class Batch:
    """Items of one family of surfaces and their looks."""

    surface: Surface
    """Where the items are."""
    looks: list[Look]
    """[k] what they are made of."""


@dataclass
class Builder:
    """Collects items; ``at`` gives a builder of the same model that works in coordinates of its own."""

    origin: np.ndarray = field(default_factory=lambda: np.zeros(3))
    """[3] where this builder's origin lies."""
    turn: np.ndarray = field(default_factory=lambda: np.eye(3))
    """[3,3] rows are this builder's axes."""
    items: dict[str, list[tuple[tuple[np.ndarray, ...], Look]]] = field(
        default_factory=lambda: {"blades": [], "pillows": [], "tubes": []}
    )
    """The arrays and looks of every item so far, by family."""

    def at(self, x: float, y: float, z: float, yaw_rad: float = 0.0) -> Builder:
        """A builder whose origin lies at x, y, z, turned about the vertical."""
        cos, sin = np.cos(yaw_rad), np.sin(yaw_rad)
        turn = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]])
        return replace(self, origin=self._place((x, y, z)), turn=turn @ self.turn)

    def rect(self, corner: Vector, along: Vector, across: Vector, look: Look) -> None:
        """A rectangle; it faces the side of along x across."""
        self.blade(np.add(corner, np.multiply(across, 0.5)), along, across, look)

    def blade(
        self,
        start: Vector,
        along: Vector,
        across: Vector,
        look: Look,
        *,
        bend: Vector = (0.0, 0.0, 0.0),
        taper: float = 0.0,
        waves: tuple[float, float] = (0.0, 0.0),
    ) -> None:
        """A bent, pointed or wavy rectangle: see ``Blades``."""
        vectors = (self._turned(along), self._turned(across), self._turned(bend))
        arrays = (self._place(start), *vectors, np.array(taper), np.array(waves))
        self.items["blades"].append((arrays, look))

    def box(self, low: Point, high: Point, look: Look, *, without: str = "") -> None:
        """An upright box, its six faces rectangles; ``without`` names those to leave out: ``"y-z+"``."""
        (x, y, z), (dx, dy, dz) = low, np.subtract(high, low)
        ex, ey, ez = (dx, 0.0, 0.0), (0.0, dy, 0.0), (0.0, 0.0, dz)
        faces = {
            "x+": ((x + dx, y, z), ey, ez),
            "x-": ((x, y, z), ez, ey),
            "y+": ((x, y + dy, z), ez, ex),
            "y-": ((x, y, z), ex, ez),
            "z+": ((x, y, z + dz), ex, ey),
            "z-": ((x, y, z), ey, ex),
        }
        for name, (corner, first, second) in faces.items():
            if name not in without:
                self._face(corner, first, second, look)

    def pillow(
        self, center: Point, half: Point, look: Look, *, power: float = 4.0, lean: float = 0.0
    ) -> None:
        """A rounded body; ``lean`` tips it about the x axis, in radians."""
        cos, sin = np.cos(lean), np.sin(lean)
        axes = np.diag(half) @ np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
        for face in range(6):
            arrays = (self._place(center), axes @ self.turn, np.array(power), np.array(face))
            self.items["pillows"].append((arrays, look))

    def ball(self, center: Point, radius: float, look: Look) -> None:
        """A sphere."""
        self.pillow(center, (radius, radius, radius), look, power=2.0)

    def tube(
        self, points: np.ndarray | list[Point], radii: np.ndarray | list[float] | float, look: Look
    ) -> None:
        """A tube through ``points`` [n,3] with radii at those points, both interpolated linearly."""
        points = np.asarray(points, np.float64)
        place = np.linspace(0, len(points) - 1, RINGS)
        path = _interpolated(points, place)
        radius = np.interp(place, np.arange(len(points)), np.broadcast_to(radii, len(points)))
        self._strung(path, _rings(path) * radius[:, None, None], look)

    def turned(
        self, profile: list[tuple[float, float]], look: Look, *, base: Point = (0.0, 0.0, 0.0)
    ) -> None:
        """A body turned on a lathe: ``profile`` lists (radius, height), upwards on the outside."""
        place = np.linspace(0, len(profile) - 1, RINGS)
        radius, height = (np.interp(place, range(len(profile)), column) for column in np.array(profile).T)
        path = np.array(base) + np.outer(height, (0.0, 1.0, 0.0))
        self._strung(path, np.eye(3)[[0, 2]] * radius[:, None, None], look)

    def rod(self, start: Point, end: Point, radius: float, look: Look) -> None:
        """A straight thin tube."""
        self.tube([start, end], radius, look)

    def batches(self) -> list[Batch]:
        """All items collected so far."""
        families = {"blades": Blades, "pillows": Pillows, "tubes": Tubes}
        return [
            Batch(
                families[name](
                    *(np.stack(column) for column in zip(*(arrays for arrays, _ in items), strict=True))
                ),
                [look for _, look in items],
            )
            for name, items in self.items.items()
            if items
        ]

    def _strung(self, path: np.ndarray, ring: np.ndarray, look: Look) -> None:
        self.items["tubes"].append(((self._place(path), ring @ self.turn), look))

    def _face(self, corner: Point, first: Point, second: Point, look: Look) -> None:
        """A face of a box, its texture running along its longer edge."""
        if np.linalg.norm(first) >= np.linalg.norm(second):
            self.rect(corner, first, second, look)
        else:
            self.rect(np.add(corner, first), second, np.negative(first), look)

    def _place(self, points: Vector) -> np.ndarray:
        return np.asarray(self.origin + np.asarray(points, np.float64) @ self.turn)

    def _turned(self, vector: Vector) -> np.ndarray:
        return np.asarray(np.asarray(vector, np.float64) @ self.turn)


def _interpolated(points: np.ndarray, place: np.ndarray) -> np.ndarray:
    known = np.arange(len(points))
    return np.stack([np.interp(place, known, points[:, axis]) for axis in range(3)], axis=1)


def _rings(path: np.ndarray) -> np.ndarray:
    """[S,2,3] two unit vectors across the path at each of its points, turning with it little."""
    ahead = np.gradient(path, axis=0)
    ahead /= np.linalg.norm(ahead, axis=1, keepdims=True)
    rings = np.empty((len(path), 2, 3))
    first = np.cross(ahead[0], (0.0, 0.0, 1.0) if abs(ahead[0, 2]) < 0.9 else (1.0, 0.0, 0.0))
    for i, direction in enumerate(ahead):
        first = first - direction * (first @ direction)
        first /= np.linalg.norm(first)
        rings[i] = first, np.cross(first, direction)
    return rings

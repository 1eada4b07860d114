"""The three families of surfaces that everything in the interior is made of.

Each family is a batch: arrays over its items, and ``points(item, u, v)`` with u and v in [0, 1].
Building coordinates: x right, y up, z forward, metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np


class Surface(Protocol):
    """A batch of parametric surfaces."""

    @property
    def curved(self) -> np.ndarray:
        """[k] bool: items that are not flat."""

    def points(self, item: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """[n,3] places on the surfaces ``item`` [n] at ``u`` [n] and ``v`` [n]."""


@dataclass(frozen=True, eq=False)
class Blades:
    """Rectangles, and what can be had by bending them: leaves, curtains, backdrops."""

    start: np.ndarray
    """[k,3] middle of the edge u = 0."""
    along: np.ndarray
    """[k,3] vector from that edge to the opposite one."""
    across: np.ndarray
    """[k,3] vector along the edge, from v = 0 to v = 1."""
    bend: np.ndarray
    """[k,3] displacement of the edge u = 1; it grows with the square of u."""
    taper: np.ndarray
    """[k] 0 for a constant width, 1 for a leaf that is pointed at both ends."""
    waves: np.ndarray
    """[k,2] number of waves along v and their height along the normal in metres."""

    def points(self, item: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """[n,3] places on the blades."""
        width = v - 0.5
        leaf = np.flatnonzero(self.taper[item] > 0)
        width[leaf] *= 1 + self.taper[item[leaf]] * (np.sin(np.pi * u[leaf] ** 0.8) - 1)
        places = self.start[item] + self.along[item] * u[:, None] + self.across[item] * width[:, None]
        bent = np.flatnonzero(self.curved[item])
        places[bent] += self.bend[item[bent]] * (u[bent] ** 2)[:, None]
        waves, height = self.waves[item[bent]].T
        normal = np.cross(self.along[item[bent]], self.across[item[bent]])
        normal /= np.linalg.norm(normal, axis=1, keepdims=True)
        places[bent] += normal * (height * np.sin(2 * np.pi * waves * v[bent]))[:, None]
        return places

    @property
    def curved(self) -> np.ndarray:
        """[k] bool: items that are not flat."""
        return np.asarray(self.bend.any(axis=1) | self.waves.any(axis=1))


@dataclass(frozen=True, eq=False)
class Pillows:
    """Faces of cubes blown up to rounded boxes, balls and cushions; six items make one body."""

    center: np.ndarray
    """[k,3] middle of the body."""
    axes: np.ndarray
    """[k,3,3] rows are the body's half edges."""
    power: np.ndarray
    """[k] 2 for an ellipsoid, larger for a box with rounder or sharper edges."""
    face: np.ndarray
    """[k] 0 to 5: the side of the cube."""

    def points(self, item: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """[n,3] places on the faces."""
        first, second = np.tan((u - 0.5) * np.pi / 2), np.tan((v - 0.5) * np.pi / 2)
        face, power = self.face[item], self.power[item]
        sign = 1.0 - 2.0 * (face % 2)
        corner = np.stack([sign, first, second * sign], axis=1)
        turned = np.take_along_axis(corner, (np.arange(3) - (face // 2)[:, None]) % 3, axis=1)
        size = (np.abs(turned) ** power[:, None]).sum(axis=1) ** (1 / power)
        return np.asarray(
            self.center[item] + np.einsum("ni,nij->nj", turned / size[:, None], self.axes[item])
        )

    @property
    def curved(self) -> np.ndarray:
        """[k] bool: all of them."""
        return np.ones(len(self.face), bool)


@dataclass(frozen=True, eq=False)
class Tubes:
    """Rings strung along a path: legs, wires, stems, vases, knots. u runs along, v around."""

    path: np.ndarray
    """[k,S,3] middles of the rings."""
    ring: np.ndarray
    """[k,S,2,3] two vectors of every ring, from its middle to its rim."""

    def points(self, item: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        """[n,3] places on the tubes."""
        place = np.clip(u, 0, 1) * (self.path.shape[1] - 1)
        low = np.minimum(place.astype(np.int64), self.path.shape[1] - 2)
        part = (place - low)[:, None]
        path = self.path[item, low] * (1 - part) + self.path[item, low + 1] * part
        ring = self.ring[item, low] * (1 - part[..., None]) + self.ring[item, low + 1] * part[..., None]
        angle = 2 * np.pi * v[:, None]
        return np.asarray(path + ring[:, 0] * np.cos(angle) + ring[:, 1] * np.sin(angle))

    @property
    def curved(self) -> np.ndarray:
        """[k] bool: all of them."""
        return np.ones(len(self.path), bool)

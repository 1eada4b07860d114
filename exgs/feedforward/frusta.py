"""Points in the views' frusta, which stand for what the views see before anybody knows how deep it lies."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from exgs.scene import Camera

DEPTHS = 3
"""Points along each ray, evenly in inverse depth between near and far."""
COARSEST = 2.0
"""A point counts as seen where a pixel there covers at most this times what its own view's pixel covers,"""
WIDEST_COSINE = math.cos(math.radians(60.0))
"""and is looked at from at most this far beside its own view's direction: beyond, other sides face us."""


@dataclass(frozen=True, eq=False)
class Points:
    """P points, each with the view that it belongs to."""

    places: np.ndarray
    """[P,3] in scene coordinates."""
    owners: np.ndarray
    """[P,3] where their views stand."""
    footprints: np.ndarray
    """[P] width of a pixel of their view there, in scene units."""

    def __len__(self) -> int:
        return len(self.places)

    @staticmethod
    def joined(parts: Sequence[Points]) -> Points:
        """All of them, in order."""
        return Points(
            np.concatenate([part.places for part in parts]),
            np.concatenate([part.owners for part in parts]),
            np.concatenate([part.footprints for part in parts]),
        )

    def select(self, index: np.ndarray) -> Points:
        """Those of ``index``."""
        return Points(self.places[index], self.owners[index], self.footprints[index])


def points_behind(camera: Camera, x: np.ndarray, y: np.ndarray, span: tuple[float, float]) -> Points:
    """N x ``DEPTHS`` points behind the pixels ``x`` [N], ``y`` [N] of a view, in the ``span`` near to far.

    Those of a pixel follow each other.
    """
    near, far = span
    share = (np.arange(DEPTHS) + 0.5) / DEPTHS
    depths = np.tile(1 / (1 / near + share * (1 / far - 1 / near)), len(x))
    slopes = np.stack([(x - camera.cx) / camera.fx, (y - camera.cy) / camera.fy, np.ones(len(x))], axis=1)
    local = slopes.repeat(DEPTHS, axis=0) * depths[:, None]
    places = local @ camera.camera_from_world[:3, :3] + camera.position
    return Points(places, np.broadcast_to(camera.position, places.shape), depths / camera.fx)


def sees(camera: Camera, points: Points, span: tuple[float, float]) -> np.ndarray:
    """[P] bool whether ``camera`` shows ``points`` well enough: inside, finely and squarely.

    Nothing hides any of them.
    """
    local = points.places @ camera.camera_from_world[:3, :3].T + camera.camera_from_world[:3, 3]
    depth = np.maximum(local[:, 2], span[0] / 2)
    x = camera.fx * local[:, 0] / depth + camera.cx
    y = camera.fy * local[:, 1] / depth + camera.cy
    inside = (x >= 0) & (x <= camera.width) & (y >= 0) & (y <= camera.height)
    inside &= (local[:, 2] >= span[0]) & (local[:, 2] <= span[1])
    fine = depth / camera.fx <= COARSEST * points.footprints
    ours, theirs = points.places - camera.position, points.places - points.owners
    cosine = (ours * theirs).sum(axis=1)
    square = cosine >= WIDEST_COSINE * np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return np.asarray(inside & fine & square)

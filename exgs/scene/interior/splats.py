"""Cells, their colours and their light become Gaussians that look as if training had left them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_C0, Gaussians
from exgs.scene.interior.cells import Cells, Survey
from exgs.scene.interior.gloss import highlight
from exgs.scene.interior.light import Air, Lamp

FRAME = Frame("RDF", metres_per_unit=1.0)
_FLIP = np.array([1.0, -1.0, 1.0])
_GRID = 2.0**18
_THICKNESS_M = 0.0015
_SUN = np.array([6.0, 5.2, 4.0])


@dataclass(frozen=True, eq=False)
class Surfels:
    """n flat patches in building coordinates, ready to become Gaussians."""

    places: np.ndarray
    """[n,3] middles."""
    spans: np.ndarray
    """[n,2,3] vectors across the patch."""
    normals: np.ndarray
    """[n,3] unit normals."""
    colors: np.ndarray
    """[n,3] as displayed, view-independent."""
    shine: np.ndarray
    """[n,16,3] harmonics of what moves with the viewer."""
    opacities: np.ndarray
    """[n] between 0 and 1."""

    def __len__(self) -> int:
        return len(self.places)

    def select(self, index: np.ndarray | slice) -> Surfels:
        """The surfels at ``index``."""
        return Surfels(*(getattr(self, field.name)[index] for field in fields(self)))


def paint(survey: Survey, cells: Cells, shades: np.ndarray, air: Air, lamps: list[Lamp]) -> Surfels:
    """Lights cells: ``shades`` [n,4] is their albedo and share of sunlight, ``lamps`` what gloss mirrors."""
    spans, normals = survey.frames(cells)
    places = survey.points(cells)
    light = air.light(places, normals)
    light[survey.trait(cells, "distant") > 0] = 0.0
    both = np.flatnonzero(survey.trait(cells, "two_sided") > 0)
    light[both] = 0.5 * (light[both] + air.light(places[both], -normals[both])) + 0.15 * light[both]
    albedo = shades[:, :3] ** 2.2
    radiance = albedo * (light + shades[:, 3:] * _SUN + survey.trait(cells, "glow")[:, None])
    shine = _shine(places, normals, survey.trait(cells, "gloss"), lamps)
    return Surfels(places, spans, normals, _displayed(radiance), shine, np.full(len(places), 0.99))


def backed(surfels: Surfels) -> Surfels:
    """The same a few centimetres behind the surface: what stops the gaps between the finer ones on it."""
    return replace(surfels, places=surfels.places - 0.07 * surfels.normals)


def hazy(surfels: Surfels, count: int, rng: np.random.Generator) -> Surfels:
    """``count`` larger, fainter doubles of random surfels, close to the surface, as training leaves them."""
    some = surfels.select(rng.integers(0, len(surfels), count))
    off = 0.006 * rng.standard_normal((count, 1)) * some.normals
    spans = some.spans * np.minimum(rng.uniform(1.3, 2.4, (count, 1, 1)), 1 + 0.03 / _longest(some)[:, None])
    return replace(
        some, places=some.places + off, spans=spans, opacities=0.03 + 0.35 * rng.random(count) ** 2
    )


def floating(surfels: Surfels, count: int, rng: np.random.Generator) -> Surfels:
    """``count`` faint specks in the air in front of random surfels."""
    some = surfels.select(rng.integers(0, len(surfels), count))
    places = some.places + some.normals * rng.uniform(0.02, 0.5, (count, 1)) ** 2
    spans = 0.03 * some.spans / np.maximum(np.linalg.norm(some.spans, axis=2, keepdims=True), 1e-9)
    return replace(some, places=places, spans=spans, opacities=0.02 + 0.08 * rng.random(count))


def together(parts: Sequence[Surfels]) -> Surfels:
    """All surfels of ``parts`` in order."""
    return Surfels(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Surfels))
    )


def _longest(surfels: Surfels) -> np.ndarray:
    """[n,1] the longer edge of each surfel."""
    return np.asarray(np.maximum(np.linalg.norm(surfels.spans, axis=2).max(axis=1, keepdims=True), 1e-6))


def _displayed(radiance: np.ndarray) -> np.ndarray:
    """Linear light as displayed: gamma, with a shoulder instead of a cut at white."""
    pressed = radiance * (1 + radiance / 6.0) / (1 + 0.55 * radiance)
    return np.asarray(np.clip(pressed, 0.0, 1.2) ** (1 / 2.2))


def _shine(places: np.ndarray, normals: np.ndarray, gloss: np.ndarray, lamps: list[Lamp]) -> np.ndarray:
    shine = np.zeros((len(places), 16, 3), np.float32)
    shiny = np.flatnonzero(gloss > 0)
    turned = normals[shiny] * _FLIP
    for lamp in lamps:
        gaps = np.array(lamp.place) - places[shiny]
        distance = np.linalg.norm(gaps, axis=1, keepdims=True)
        toward = gaps / distance
        incidence = (toward * normals[shiny]).sum(axis=1, keepdims=True)
        near = np.clip(1.5 - distance / 5.0, 0.0, 1.0) * (incidence > 0.02)
        if any(lamp.facing):
            near = near * np.clip(-2 * toward @ np.array(lamp.facing), 0.0, 1.0)[:, None]
        grazing = 0.35 + 0.65 * (1 - np.clip(incidence, 0, 1)) ** 2
        tint = np.array(lamp.color) / max(lamp.color) * min(1.0, max(lamp.color) / 3)
        strength = 0.75 * gloss[shiny, None] * near * grazing * tint
        shine[shiny] += highlight(turned, toward * _FLIP, strength)
    return shine


def to_gaussians(surfels: Surfels, rng: np.random.Generator) -> Gaussians:
    """One Gaussian per surfel: flat, overlapping its neighbours, irregular in size, place and opacity."""
    count = len(surfels.places)
    jitter = rng.uniform(-0.16, 0.16, (count, 2, 1))
    places = surfels.places + (jitter * surfels.spans).sum(axis=1)
    lengths = np.linalg.norm(surfels.spans, axis=2)
    scales = lengths * 0.60 * np.exp(0.12 * rng.standard_normal((count, 2)))
    thickness = _THICKNESS_M * np.exp(0.7 * rng.standard_normal(count))
    opacities = surfels.opacities * (1 - 0.12 * rng.random(count) ** 3)
    noise = 0.006 * rng.standard_normal((count, 3))
    shine = surfels.shine.copy()
    uneven = np.flatnonzero(rng.random(count) < 0.3)
    shine[uneven] += 0.004 * rng.standard_normal((len(uneven), 16, 3), dtype=np.float32)
    base = (surfels.colors + noise - 0.5) / SH_C0
    return Gaussians(
        _rounded(places * _FLIP),
        _rounded(_quats(surfels)),
        _rounded(np.log(np.maximum(np.column_stack([scales, thickness]), 3e-4))),
        _rounded(np.log(opacities / (1 - opacities))),
        _rounded(base[:, None] + shine[:, :1]),
        _rounded(shine[:, 1:]),
        FRAME,
    )


def _rounded(values: np.ndarray) -> np.ndarray:
    """float32 on a grid so coarse that the last bits of a machine's sine do not show."""
    return np.ascontiguousarray(
        np.round(values * values.dtype.type(_GRID)) / values.dtype.type(_GRID), np.float32
    )


def _quats(surfels: Surfels) -> np.ndarray:
    """[n,4] wxyz rotations whose columns are the patch's first direction, the one across, and the normal."""
    first = surfels.spans[:, 0] / np.maximum(
        np.linalg.norm(surfels.spans[:, 0], axis=1, keepdims=True), 1e-12
    )
    normals = surfels.normals * _FLIP
    first = first * _FLIP
    first -= normals * (first * normals).sum(axis=1, keepdims=True)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-12)
    turn = np.stack([first, np.cross(normals, first), normals], axis=2)
    return _from_matrix(turn)


def _from_matrix(turn: np.ndarray) -> np.ndarray:
    """[n,4] wxyz quaternions of rotation matrices [n,3,3], w not negative."""
    diagonal = turn[:, [0, 1, 2], [0, 1, 2]]
    signs = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    squares = 1 + diagonal @ signs.T
    largest = squares.argmax(axis=1)
    lower = np.stack([turn[:, 2, 1], turn[:, 0, 2], turn[:, 1, 0]], axis=1)
    upper = np.stack([turn[:, 1, 2], turn[:, 2, 0], turn[:, 0, 1]], axis=1)
    product = np.empty((len(turn), 4, 4))
    product[:, [0, 1, 2, 3], [0, 1, 2, 3]] = squares
    product[:, 0, 1:] = product[:, 1:, 0] = lower - upper
    for i, j, k in ((1, 2, 2), (2, 3, 0), (3, 1, 1)):
        product[:, i, j] = product[:, j, i] = lower[:, k] + upper[:, k]
    quats = np.take_along_axis(product, largest[:, None, None].repeat(4, axis=2), axis=1)[:, 0]
    quats /= np.linalg.norm(quats, axis=1, keepdims=True)
    return np.asarray(np.where(quats[:, :1] < 0, -quats, quats))

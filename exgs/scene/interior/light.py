"""Baked light: the sun through the windows, soft light from windows and lamps, and dark corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when they are first used

from exgs.scene.interior.model import Color

VOXEL_M = 0.15
_REACH_M = 7.0
_BLUR_VOXELS = (1.2, 2.6)
_AXES = np.concatenate([np.eye(3), -np.eye(3)])


@dataclass(frozen=True)
class Lamp:
    """A small source of soft light."""

    place: tuple[float, float, float]
    """Where it is, in building coordinates."""
    color: tuple[float, float, float]
    """Linear strength at one metre."""
    facing: tuple[float, float, float] = (0.0, 0.0, 0.0)
    """Unit direction in which it shines, as a window does; zero for all directions."""


@dataclass(frozen=True)
class Window:
    """An opening for the sun in a wall of constant x or z."""

    axis: int
    """0 for a wall of constant x, 2 for one of constant z."""
    plane: float
    """That constant, in metres."""
    low: tuple[float, float]
    """Smallest coordinate along the wall, and height of the sill."""
    high: tuple[float, float]
    """Largest coordinate along the wall, and height of the lintel."""
    bars: tuple[int, int]
    """Panes along the wall and upwards."""
    slats_m: float = 0.0
    """Distance between the slats of a blind; 0 for none."""


class Air:
    """The space of the building in voxels: which are solid, and the soft light from six sides in the rest."""

    def __init__(
        self, places: np.ndarray, normals: np.ndarray, casts: np.ndarray, lamps: list[Lamp], sky: Color
    ) -> None:
        """``places`` [n,3] and ``normals`` [n,3] sample the surfaces; ``casts`` [n] what shadows the sun.

        ``sky`` is light from everywhere, before dark corners.
        """
        self.low = places.min(axis=0) - VOXEL_M
        self.shape = np.ceil((places.max(axis=0) + VOXEL_M - self.low) / VOXEL_M).astype(np.int64) + 1
        self.solid = self._filled(places - 0.3 * VOXEL_M * normals)
        self.casts = self._filled((places - 0.3 * VOXEL_M * normals)[casts])
        blurred = [
            scipy.ndimage.gaussian_filter(self.solid.astype(np.float32), sigma) for sigma in _BLUR_VOXELS
        ]
        self.crowd = 0.5 * blurred[0] + 0.5 * blurred[1]
        self.sky = np.array(sky, np.float64)
        self.soft = self._spread_out(self._soft_light(lamps))

    def light(self, places: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """[n,3] linear soft light that arrives at surfaces."""
        where = ((places + 0.75 * VOXEL_M * normals - self.low) / VOXEL_M - 0.5).T
        arriving = np.tile(self.sky, (len(places), 1))
        for side, direction in enumerate(_AXES):
            facing = np.maximum(normals @ direction, 0.0) ** 2
            mine = np.flatnonzero(facing > 1e-4)
            for channel in range(3):
                field = self.soft[..., side, channel]
                seen = scipy.ndimage.map_coordinates(field, where[:, mine], order=1, mode="nearest")
                arriving[mine, channel] += facing[mine] * seen
        crowd = scipy.ndimage.map_coordinates(self.crowd, where, order=1, mode="nearest")
        return np.asarray(arriving * np.clip(1.25 - 1.5 * crowd, 0.25, 1.0)[:, None])

    def shadowed(self, places: np.ndarray, toward: np.ndarray, reach: float) -> np.ndarray:
        """[n] share of light from direction ``toward`` that furniture lets through."""
        field = scipy.ndimage.gaussian_filter(self.casts.astype(np.float32), 0.45)
        passed = np.ones(len(places))
        for distance in np.arange(2.2 * VOXEL_M, reach, 0.5 * VOXEL_M):
            where = ((places + distance * toward - self.low) / VOXEL_M - 0.5).T
            passed *= 1 - np.clip(
                1.2 * scipy.ndimage.map_coordinates(field, where, order=1, mode="constant") - 0.2, 0, 1
            )
        return passed

    def _filled(self, places: np.ndarray) -> np.ndarray:
        solid = np.zeros(self.shape, bool)
        solid[tuple(self._index(places))] = True
        return solid

    def _index(self, places: np.ndarray) -> np.ndarray:
        index = np.floor((places - self.low) / VOXEL_M).astype(np.int64)
        return np.asarray(np.clip(index, 0, self.shape - 1).T)

    def _soft_light(self, lamps: list[Lamp]) -> np.ndarray:
        """[X,Y,Z,6,3] light from six sides at the middle of every free voxel."""
        field = np.zeros((*self.shape, 6, 3), np.float32)
        free = np.argwhere(~self.solid)
        places = self.low + (free + 0.5) * VOXEL_M
        total = np.zeros((len(free), 6, 3))
        for lamp in lamps:
            gaps = np.array(lamp.place) - places
            square = (gaps**2).sum(axis=1) + 0.15
            toward = gaps / np.sqrt(square)[:, None]
            strength = np.where(square < _REACH_M**2, 1 / square, 0.0)
            if any(lamp.facing):
                strength *= np.maximum(-toward @ np.array(lamp.facing), 0.0)
            lit = np.flatnonzero(strength)
            strength[lit] *= self._visible(places[lit], gaps[lit])
            sides = np.maximum(toward @ _AXES.T, 0.0) * strength[:, None]
            total += sides[:, :, None] * np.array(lamp.color)
        field[tuple(free.T)] = total
        return field

    def _visible(self, places: np.ndarray, gaps: np.ndarray) -> np.ndarray:
        """[n] 1.0 where nothing solid stands between ``places`` and the end of ``gaps``."""
        start, run = (places - self.low) / VOXEL_M, gaps / VOXEL_M
        strides = (self.solid.strides[0], self.solid.strides[1], 1)
        solid, open_ = self.solid.ravel(), np.arange(len(places))
        for part in np.linspace(0.0, 0.97, int(_REACH_M / VOXEL_M))[1:]:
            open_ = open_[~solid[(start[open_] + part * run[open_]).astype(np.int32) @ strides]]
        seen = np.zeros(len(places))
        seen[open_] = 1.0
        return seen

    def _spread_out(self, field: np.ndarray) -> np.ndarray:
        """Soft light blurred among free voxels, and carried over into the solid ones beside them."""
        free = (~self.solid).astype(np.float32)
        weight = scipy.ndimage.gaussian_filter(free, 0.9)
        flat = field.reshape(*self.shape, 18)
        for channel in range(18):
            layer = scipy.ndimage.gaussian_filter(flat[..., channel], 0.9) / np.maximum(weight, 1e-3)
            flat[..., channel] = np.where(weight > 1e-3, layer, 0.0)
        return field


class Sun:
    """Direct sunlight through windows."""

    def __init__(self, air: Air, windows: list[Window], toward: np.ndarray) -> None:
        """``toward`` [3] points to the sun."""
        self.air, self.windows = air, windows
        self.toward = toward / np.linalg.norm(toward)

    def __call__(self, places: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """[n] share of full sunlight that arrives at surfaces."""
        light = np.zeros(len(places))
        slope = normals @ self.toward
        for window in self.windows:
            distance = (window.plane - places[:, window.axis]) / (self.toward[window.axis] or 1e-9)
            reached = np.flatnonzero((distance > 0.02) & (slope > 0))
            hits = places[reached] + distance[reached, None] * self.toward
            passed = _through(window, hits[:, 2 - window.axis], hits[:, 1], 0.01 + 0.004 * distance[reached])
            bright = passed > 0.01
            reached, passed = reached[bright], passed[bright]
            if len(reached):
                reach = float(min(distance[reached].max(), 6.0))
                light[reached] += (
                    passed * slope[reached] * self.air.shadowed(places[reached], self.toward, reach)
                )
        return light


def _through(window: Window, along: np.ndarray, high: np.ndarray, soft: np.ndarray) -> np.ndarray:
    """[n] share of sunlight that passes frame, bars and blind where it crosses the wall."""
    passed = np.ones(len(along))
    for value, low, top, panes in zip((along, high), window.low, window.high, window.bars, strict=True):
        pane = (top - low) / panes
        inside = (value > low) & (value < top)
        bar = 0.5 * pane - np.abs((value - low) % pane - 0.5 * pane)
        passed *= inside * np.clip((bar - 0.03) / soft + 0.5, 0, 1)
    if window.slats_m:
        part = (high / window.slats_m) % 1.0
        passed *= np.clip((0.5 * window.slats_m - window.slats_m * np.abs(part - 0.5)) / soft - 0.4, 0, 1)
    return passed

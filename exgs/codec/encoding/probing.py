"""What each step of quantising makes of a scene's pictures and of its bytes, found out by trying.

Some of the merged Gaussians are coded with one attribute at a shorter and at a longer step, all others next
to exact, and looked at among the rest. Nothing is fitted yet: a step makes the same error before and after
(within a tenth on the scenes tried). Of the error of merging a part is left once everything is fitted; what
was merged more is mended more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from exgs.codec.decoder import decode
from exgs.codec.encoding.at_once import each
from exgs.codec.encoding.balance import Merging, Slopes, Step
from exgs.codec.encoding.left_out import miss
from exgs.codec.encoding.merging import Clusters, reduce, to_gaussians
from exgs.codec.encoding.simplify import presence
from exgs.codec.encoding.task import Task
from exgs.codec.encoding.visibility import LEAST_WEIGHT, floor_of
from exgs.codec.writing.precision import STEPS, Precision
from exgs.codec.writing.pyramid import Level, Pyramid
from exgs.codec.writing.serializer import serialize_measured
from exgs.raster.crew import Crew
from exgs.raster.seam import Rasterizer
from exgs.scene import Camera, Gaussians

VIEWS, HEIGHT_PX, LARGER = 6, 360, 2.0
"""Views in which errors are looked at, how high they are to be, for viewers see fine pixels, and how many
times larger they become for that at most."""
PROBED, STRETCHES = 16_000, 8
"""Gaussians that are coded, of many, and the stretches of neighbours that they come from."""
PROBES = (0.7, 1.4)
"""Multiples of its step at which an attribute is coded."""
EXACT = 0.12
"""Steps of the other attributes, in parts of their own."""
LEAST_BITS = 0.02
"""Bits of a Gaussian that halving a step takes at least, for the step to be worth a thought."""
LEAST_ERROR = 1e-12
"""Squared errors below are none."""
FEWEST_LEAVES = 4
"""Gaussians without which there is nothing to merge."""
POWERS, MERGING_POWERS = (0.5, 2.2), (0.3, 3.0)
"""Bounds of the powers with which errors go."""
HARMONICS = 0.5
"""Error of their steps that is left once all colours are fitted to what is kept of them."""
COUNTS = (0.8, 0.7)
"""Gaussians left at most, of all, where merging is looked at, and of those where it is looked at again."""
LEFT, LEFT_OF_FEW = 0.5, 0.2
"""Error that fitting leaves of merging, where all Gaussians are left and where next to none are."""


def look(clusters: Clusters, precision: Precision, task: Task, merging: Merging | None = None) -> Slopes:
    """What each step of ``precision``, and the count of ``clusters``, makes of errors and bits.

    ``merging`` is what another look at the scene has found out of the count; None looks for itself.
    """
    probe = _Probe(clusters, task)
    floor = probe.code(precision.scaled(EXACT))[0]
    names = [name for name in STEPS if name != "sh" or task.highest_degree]
    found = [_step(probe, precision, name, floor) for name in names]
    steps = tuple(step for step in found if step is not None)
    return Slopes(steps, probe.bits(precision), merging or _merging(clusters, task))


def _cameras(task: Task) -> list[Camera]:
    """The views that are looked at."""
    views = task.views.thinned(VIEWS).cameras
    larger = min(max(1.0, HEIGHT_PX / views[0].height), LARGER)
    return [camera.resized(round(larger * camera.width), round(larger * camera.height)) for camera in views]


def _step(probe: _Probe, precision: Precision, name: str, floor: float) -> Step | None:
    """What a step does beyond the error ``floor`` of those next to exact; None where it does nothing."""
    lengths = [getattr(precision, name) * part for part in PROBES]
    (low, more), (high, bits) = (
        probe.code(replace(precision.scaled(EXACT), **{name: length})) for length in lengths
    )
    low, high = max(low - floor, LEAST_ERROR), high - floor
    octave = (more - bits) / math.log2(PROBES[1] / PROBES[0])
    if octave < LEAST_BITS or high <= low:
        return None
    power = _power((low, high), PROBES, POWERS)
    left = HARMONICS if name == "sh" else 1.0
    return Step(name, left * high / PROBES[1] ** power, power, octave)


def _power(errors: Sequence[float], values: Sequence[float], bounds: tuple[float, float]) -> float:
    """The power of two values with which their errors go."""
    power = math.log(errors[1] / errors[0]) / math.log(values[1] / values[0])
    return min(max(power, bounds[0]), bounds[1])


def _merging(clusters: Clusters, task: Task) -> Merging:
    """What merging to about as many as ``clusters`` does to pictures of the source."""
    leaves = len(clusters.tree)
    if leaves < FEWEST_LEAVES:
        return Merging(leaves, 0.0, 1.0)
    cameras = _cameras(task)
    source = _pictures(task.gaussians, cameras, task.rasterizer)
    first = max(2, min(clusters.count, int(COUNTS[0] * leaves)))
    cut, errors, values = Clusters.whole(clusters.tree), [], []
    for target in (first, max(1, int(COUNTS[1] * first))):
        reduce(cut, target)
        merged = _pictures(to_gaussians(cut), cameras, task.rasterizer)
        errors.append(max(_error(merged, source), LEAST_ERROR))
        values.append(1 / target - 1 / leaves)
    power = _power(errors, values, MERGING_POWERS)
    left = LEFT_OF_FEW + (LEFT - LEFT_OF_FEW) * math.sqrt(first / leaves)
    return Merging(leaves, left * errors[0] / values[0] ** power, power)


class _Probe:
    """Clusters of which some are coded and looked at among the others."""

    def __init__(self, clusters: Clusters, task: Task) -> None:
        gaussians = to_gaussians(clusters).with_sh_degree(task.highest_degree)
        some = stretches(clusters.count, PROBED)
        self._pyramid = single_level(clusters, task, some)
        others = np.ones(len(gaussians), bool)
        others[some] = False
        self._others, self._share = gaussians.select(others), len(some) / len(gaussians)
        self._cameras, self._rasterizer = _cameras(task), task.rasterizer
        self._exact = _pictures(gaussians, self._cameras, task.rasterizer)

    def code(self, precision: Precision) -> tuple[float, float]:
        """Squared error, as if all were coded, and bits of a Gaussian."""
        data = self._file(precision)
        shown = Gaussians.concatenate([self._others, decode(data)])
        error = _error(_pictures(shown, self._cameras, self._rasterizer), self._exact)
        return error / self._share, 8 * len(data) / self._pyramid.shown

    def bits(self, precision: Precision) -> float:
        """Bits of a Gaussian."""
        return 8 * len(self._file(precision)) / self._pyramid.shown

    def _file(self, precision: Precision) -> bytes:
        return serialize_measured(self._pyramid, precision, Crew().share).data


def single_level(clusters: Clusters, task: Task, some: np.ndarray) -> Pyramid:
    """``some`` [n] indices of ``clusters`` as the only level, of the highest degree that may be."""
    weight = clusters.mass * clusters.footprint
    weight = np.maximum(weight, floor_of(weight, LEAST_WEIGHT, 1e-30))
    gaussians = to_gaussians(clusters, some).with_sh_degree(task.highest_degree)
    return Pyramid((Level(gaussians, None, presence(clusters)[some], weight[some]),))


def stretches(count: int, size: int) -> np.ndarray:
    """Indices by which ``count`` clusters are judged: all, or of many a few stretches of neighbours."""
    if count <= 2 * size:
        return np.arange(count)
    stretch = size // STRETCHES
    starts = np.linspace(0, count - stretch, STRETCHES).astype(np.int64)
    return np.asarray((starts[:, None] + np.arange(stretch)).ravel())


def _pictures(gaussians: Gaussians, cameras: Sequence[Camera], rasterizer: Rasterizer) -> np.ndarray:
    """[V,H,W,3] float32 of ``gaussians``."""
    drawn = each(
        rasterizer, lambda view: rasterizer.render(gaussians, [cameras[view]]).color[0], range(len(cameras))
    )
    return np.stack(list(drawn))


def _error(pictures: np.ndarray, targets: np.ndarray) -> float:
    """Mean squared error, as a display shows both."""
    return float(np.mean(np.square(miss(pictures, targets)), dtype=np.float64))

"""Finds out what each chunk of a scene is worth from where: draws it, coarse and fine, from places in it.

At each place all directions are drawn. The squared error of a coarser picture, against that of all that there
is, is shared out among its Gaussians by their blending weights: those that a chunk replaces say what it saves
there, less what stays wrong when it has come. What is hidden by something else, or lies behind an object, is
not to blame for anything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.codec import Assembly, Container, decode_chunk
from exgs.codec.worth import ChunkTable
from exgs.raster import Rasterizer, blamed_error
from exgs.scene import Camera, Gaussians
from exgs.scene.site import measure_site
from exgs.scene.views import sample_site
from exgs.server.sight import Sight, sight_of

MOST_PLACES, FEWEST_PLACES = 24, 6
"""Besides the one where a viewer begins."""
WORK = 24_000_000
"""Gaussians that may be looked at in all: a second or three, and with larger scenes fewer places."""
MOST_PARTS, ALL_PARTS = 8, 8192
"""Parts in which each chunk is judged, at most, and for all chunks together, about."""
SIDE_PX = 64
"""Of a picture, six of which look all around."""
SEED = 5
"""Of where the places are."""
_HANDS = tuple(np.roll(np.eye(3), shift, axis=1) * sign for shift in range(3) for sign in (1, -1))


@dataclass(frozen=True, eq=False)
class Stage:
    """One picture of the whole scene, and how chunks divide it."""

    gaussians: Gaussians
    """All that it is of."""
    own: np.ndarray
    """[m] ids of the chunks of its finest level."""
    ranges: np.ndarray
    """[m,2] where the splats of each begin and end."""
    finer: np.ndarray
    """[n] ids of the chunks that refine them."""
    edges: np.ndarray
    """[n,P+1] where the splats that each part of these replaces begin and end."""


def measure_sight(container: Container, rasterizer: Rasterizer) -> Sight:
    """What the chunks of a file are worth from where. The same file gives the same sight.

    Raises:
        DecodeError: a chunk is damaged.
    """
    stages = stages_of(container)
    look = 6 * sum(len(stage.gaussians) for stage in stages)
    count = int(min(max(WORK // max(look, 1), FEWEST_PLACES), MOST_PLACES))
    site, start = measure_site(stages[-1].gaussians), container.header.start
    places = [camera.position for camera in sample_site(site, count, seed=SEED)]
    places += [] if start is None else [start.position]
    errors = [errors_in(stages, _around(place), rasterizer) for place in places]
    table = ChunkTable(container.manifest)
    return sight_of(table, np.array(places), _boxes(stages, table), np.array(errors))


def stages_of(container: Container) -> list[Stage]:
    """The pictures that the levels make one after the other, coarsest first."""
    assembly, stages, manifest = Assembly(container.parsed), list[Stage](), container.manifest
    parts = min(max(ALL_PARTS // max(len(manifest), 1), 1), MOST_PARTS)
    for level in range(container.header.levels - 1, -1, -1):
        own = [chunk.id for chunk in manifest if chunk.level == level]
        for id in own:
            assembly.add(id, decode_chunk(container.parsed, id, container.chunk(id)))
        ends = np.cumsum([piece.stop - piece.start for piece in assembly.shown()])
        starts = {
            piece.chunk: int(end) - piece.stop for piece, end in zip(assembly.shown(), ends, strict=True)
        }
        finer = [chunk for chunk in manifest if chunk.level == level - 1]
        begins = np.array([starts[chunk.parent] + chunk.first for chunk in finer], np.int64)
        sizes = np.array([chunk.replaced for chunk in finer], np.int64)
        ranges = [(starts[id], starts[id] + manifest[id].count) for id in own]
        stages.append(
            Stage(
                assembly.gaussians(),
                np.array(own, np.int64),
                np.array(ranges, np.int64),
                np.array([chunk.id for chunk in finer], np.int64),
                begins[:, None] + sizes[:, None] * np.arange(parts + 1) // parts,
            )
        )
    return stages


def _boxes(stages: list[Stage], table: ChunkTable) -> tuple[np.ndarray, np.ndarray]:
    """Middles and variances [N,P,3] of the parts of all chunks: of the splats that they replace."""
    parts = stages[0].edges.shape[1] - 1
    centres, variances = (
        np.repeat(part[:, None], parts, axis=1) for part in (table.centres, table.variances)
    )
    for stage in stages[:-1]:
        means = stage.gaussians.means.astype(np.float64)
        sizes = np.square(stage.gaussians.scales).mean(axis=1, keepdims=True)
        first, last = stage.edges[:, :-1], stage.edges[:, 1:]
        count = (last - first)[..., None]
        some = np.maximum(count, 1)
        middle, square = (_sums(values, first, last) / some for values in (means, means * means + sizes))
        centres[stage.finer] = np.where(count > 0, middle, centres[stage.finer])
        spread = np.maximum(square - middle * middle, 0.0)
        variances[stage.finer] = np.where(count > 0, spread, variances[stage.finer])
    return centres, variances


def errors_in(
    stages: list[Stage], cameras: list[Camera], rasterizer: Rasterizer, truth: np.ndarray | None = None
) -> np.ndarray:
    """[N,P] squared error that each part of each chunk removes from the pictures of ``cameras``.

    ``truth`` [B,H,W,3] is what they should show; None for the picture of all that there is.
    """
    wrong = stages
    if truth is None:
        wrong, truth = stages[:-1], rasterizer.render(stages[-1].gaussians, cameras).color
    chunks = sum(len(stage.own) for stage in stages)
    errors, left = np.zeros((chunks, stages[0].edges.shape[1] - 1)), np.zeros(chunks)
    for stage in wrong:
        blame = _blame(stage.gaussians, cameras, truth, rasterizer)
        left[stage.own] = _sums(blame, stage.ranges[:, 0], stage.ranges[:, 1])
        errors[stage.finer] = _sums(blame, stage.edges[:, :-1], stage.edges[:, 1:])
    total = errors.sum(axis=1)
    return errors * np.maximum(1 - left / np.maximum(total, 1e-30), 0.0)[:, None]


def _sums(values: np.ndarray, first: np.ndarray, last: np.ndarray) -> np.ndarray:
    """Sums of ``values`` [n,...] from each of ``first`` to each of ``last``."""
    running = np.concatenate([np.zeros_like(values[:1]), np.cumsum(values, axis=0)])
    return np.asarray(running[last] - running[first])


def _blame(
    gaussians: Gaussians, cameras: list[Camera], truth: np.ndarray, rasterizer: Rasterizer
) -> np.ndarray:
    """[N] squared error for which each Gaussian is to blame."""
    total = np.zeros(len(gaussians))
    for camera, target in zip(cameras, truth, strict=True):
        total += blamed_error(gaussians, camera, target, rasterizer)
    return total


def _around(place: np.ndarray) -> list[Camera]:
    """Six cameras at ``place`` that see all directions, each a right angle wide."""
    cameras = []
    for hands in _HANDS:
        matrix = np.eye(4)
        matrix[:3, :3] = hands if np.linalg.det(hands) > 0 else hands[[1, 0, 2]]
        matrix[:3, 3] = -matrix[:3, :3] @ place
        half = SIDE_PX / 2
        cameras.append(Camera(matrix, half, half, half, half, SIDE_PX, SIDE_PX))
    return cameras

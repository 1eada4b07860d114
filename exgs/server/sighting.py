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
from exgs.raster import Rasterizer
from exgs.scene import Camera, Gaussians
from exgs.scene.site import measure_site
from exgs.scene.views import sample_site
from exgs.server.sight import Sight, sight_of

MOST_PLACES, FEWEST_PLACES = 24, 6
"""Besides the one where a viewer begins."""
WORK = 24_000_000
"""Gaussians that may be looked at in all: a second or three, and with larger scenes fewer places."""
SIDE_PX = 64
"""Of a picture, six of which look all around."""
SEED = 5
"""Of where the places are."""
_HANDS = tuple(np.roll(np.eye(3), shift, axis=1) * sign for shift in range(3) for sign in (1, -1))


@dataclass(frozen=True, eq=False)
class _Stage:
    """One picture of the whole scene."""

    level: int
    """Its finest level of detail."""
    gaussians: Gaussians
    """All that it is of."""
    starts: dict[int, int]
    """Where the splats of each chunk of that level begin among them."""


def measure_sight(container: Container, rasterizer: Rasterizer) -> Sight:
    """What the chunks of a file are worth from where. The same file gives the same sight.

    Raises:
        DecodeError: a chunk is damaged.
    """
    stages = _stages(container)
    look = 6 * sum(len(stage.gaussians) for stage in stages)
    count = int(min(max(WORK // max(look, 1), FEWEST_PLACES), MOST_PLACES))
    site, start = measure_site(stages[-1].gaussians), container.header.start
    places = [camera.position for camera in sample_site(site, count, seed=SEED)]
    places += [] if start is None else [start.position]
    errors = [_errors(container, stages, place, rasterizer) for place in places]
    return sight_of(ChunkTable(container.manifest), np.array(places), np.array(errors))


def _stages(container: Container) -> list[_Stage]:
    """The pictures that the levels make one after the other, coarsest first."""
    assembly, stages = Assembly(container.parsed), []
    for level in range(container.header.levels - 1, -1, -1):
        here = [chunk.id for chunk in container.manifest if chunk.level == level]
        for chunk in here:
            assembly.add(chunk, decode_chunk(container.parsed, chunk, container.chunk(chunk)))
        pieces = assembly.shown()
        ends = np.cumsum([piece.stop - piece.start for piece in pieces])
        starts = {
            piece.chunk: int(end) - (piece.stop - piece.start)
            for piece, end in zip(pieces, ends, strict=True)
            if container.manifest[piece.chunk].level == level
        }
        stages.append(_Stage(level, assembly.gaussians(), starts))
    return stages


def _errors(
    container: Container, stages: list[_Stage], place: np.ndarray, rasterizer: Rasterizer
) -> np.ndarray:
    """[N] squared error that each chunk removes for one who looks all around at ``place``."""
    cameras = _around(place)
    truth = rasterizer.render(stages[-1].gaussians, cameras).color
    errors = np.zeros(len(container.manifest))
    for stage in stages[:-1]:
        blame = _blame(stage.gaussians, cameras, truth, rasterizer)
        for chunk in container.manifest:
            if chunk.level == stage.level:
                first = stage.starts[chunk.id]
                errors[chunk.id] -= blame[first + chunk.count] - blame[first]
            elif chunk.level == stage.level - 1:
                first = stage.starts[chunk.parent] + chunk.first
                errors[chunk.id] += blame[first + chunk.replaced] - blame[first]
    return errors


def _blame(
    gaussians: Gaussians, cameras: list[Camera], truth: np.ndarray, rasterizer: Rasterizer
) -> np.ndarray:
    """[N+1] running sum of the squared error for which each Gaussian is to blame."""
    pictures, blending = rasterizer.render(gaussians, cameras).color, rasterizer.blending(gaussians, cameras)
    total = np.zeros(len(gaussians))
    for view in range(len(cameras)):
        squared = np.square(pictures[view] - truth[view])
        total += blending.transpose(view, squared).sum(axis=1, dtype=np.float64)
    return np.concatenate([[0.0], np.cumsum(total)])


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

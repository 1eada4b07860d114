"""Times restoring stage by stage, for all weights that are shipped or named, and what depth costs to draw.

    python benchmarks/restore.py [WEIGHTS ...] [--engine cpu] [--sizes 640x360,512x512] [--eyes 1,2]
                                 [--scene FILE] [--repeats N] [--threads N] [--cpu-time]

WEIGHTS are sizes or folders. Milliseconds are medians, with everything compiled and the session made. The
pictures are those of SCENE, by default a generated interior of 60,000 Gaussians, along a step of 2 mm and 0.2
degrees a frame. ``raster`` is drawing without depth, ``depth`` what depth adds to it, ``recall`` is carrying
residuals over, ``restore`` all that comes after drawing. ``--cpu-time`` counts the time of all processors
together, which a busy machine does not change; else it is the wall's.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from exgs.painter import Pictures, Restorer, splats_per_pixel
from exgs.painter.choose import choose_network
from exgs.painter.gate import Gate
from exgs.painter.network import Network
from exgs.painter.planes import planes, unplanes
from exgs.painter.recall import Recall
from exgs.painter.restorer import NetworkRestorer
from exgs.painter.shelf import shipped
from exgs.painter.visibility import layers
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.scene import Camera, Gaussians, generate_interior, orbit, read_scene, stereo_pair

STAGES = ("raster", "depth", "planes", "network", "unplanes", "recall", "restore")
"""Columns of the table, in ms."""
COUNT = 60_000
STEP_M, TURN_RAD = 0.002, 0.0035


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", nargs="*", default=list(shipped()))
    parser.add_argument("--engine", default="cpu")
    parser.add_argument("--sizes", default="640x360,512x512")
    parser.add_argument("--eyes", default="1")
    parser.add_argument("--scene", type=Path)
    parser.add_argument("--repeats", type=int, default=21)
    parser.add_argument("--threads", type=int)
    parser.add_argument("--cpu-time", action="store_true")
    args = parser.parse_args()
    clock = time.process_time if args.cpu_time else time.perf_counter
    scene = read_scene(args.scene) if args.scene else generate_interior(seed=1, count=COUNT)
    rasterizer = choose_rasterizer("auto", threads=args.threads)
    print(f"{'weights':24} {'size':>9} {'eyes':>4}" + "".join(f" {stage:>8}" for stage in STAGES))
    for name in args.weights:
        for words in args.sizes.split(","):
            width, height = (int(side) for side in words.split("x"))
            for eyes in (int(word) for word in args.eyes.split(",")):
                frames = walk(scene, (width, height), eyes, args.repeats)
                weights, network = choose_network(name, args.engine, threads=args.threads)
                manifest = replace(weights.manifest, gate=Gate(math.inf))  # these pictures have few holes
                restorer = NetworkRestorer(network, manifest, recall=Recall(threads=args.threads))
                tools = Tools(restorer, network, Recall(threads=args.threads), rasterizer)
                row = timed(tools, frames, scene, clock=clock)
                named = restorer.name
                print(
                    f"{named:24} {words:>9} {eyes:>4}" + "".join(f" {row[s]:8.1f}" for s in STAGES),
                    flush=True,
                )


def walk(scene: Gaussians, size: tuple[int, int], eyes: int, frames: int) -> list[tuple[Camera, ...]]:
    """The eyes of a head that steps aside and turns a little from frame to frame."""
    (start,) = orbit(scene, 1, size=size)
    steps = []
    for frame in range(frames):
        angle = frame * TURN_RAD
        move = np.eye(4)
        move[0, :3:2] = np.cos(angle), -np.sin(angle)
        move[2, :3:2] = np.sin(angle), np.cos(angle)
        move[0, 3] = -frame * STEP_M
        camera = replace(start, camera_from_world=move @ start.camera_from_world)
        steps.append((camera,) if eyes == 1 else stereo_pair(camera, 0.063))
    return steps


@dataclass(frozen=True)
class Tools:
    """What is timed."""

    restorer: Restorer
    network: Network
    recall: Recall
    rasterizer: Rasterizer


def timed(
    tools: Tools, frames: list[tuple[Camera, ...]], scene: Gaussians, *, clock: Callable[[], float]
) -> dict[str, float]:
    """The milliseconds of each stage."""
    restorer, network, recall, rasterizer = tools.restorer, tools.network, tools.recall, tools.rasterizer
    found: dict[str, list[float]] = {stage: [] for stage in STAGES}

    def clocked(stage: str, work: Callable[[], object]) -> object:
        begin = clock()
        done = work()
        found[stage].append(1000 * (clock() - begin))
        return done

    for number, eyes in enumerate(frames):
        pictures = with_depth(rasterizer, scene, eyes)
        assert pictures.depth is not None
        size, arrays = (eyes[0].width, eyes[0].height), (pictures.color, pictures.alpha, pictures.depth)
        if number == 0:  # compiles, and makes the session
            seen = planes(*arrays, pictures.splats_per_pixel, pictures.layers)
            recall.steady(pictures, unplanes(network.run(seen), size)[0])
            restorer.restore(pictures)
        clocked("raster", lambda eyes=eyes: rasterizer.render(scene, eyes))
        clocked("depth", lambda eyes=eyes: rasterizer.render(scene, eyes, depth=True))
        seen = clocked("planes", lambda a=arrays, p=pictures: planes(*a, p.splats_per_pixel, p.layers))
        restored = clocked("network", lambda seen=seen: network.run(seen))
        color = clocked("unplanes", lambda r=restored, size=size: unplanes(r, size)[0])
        clocked("recall", lambda p=pictures, c=color: recall.steady(p, c))
        clocked("restore", lambda p=pictures: restorer.restore(p))
    row = {stage: median(values) for stage, values in found.items()}
    row["depth"] -= row["raster"]
    return row


def with_depth(rasterizer: Rasterizer, scene: Gaussians, eyes: tuple[Camera, ...]) -> Pictures:
    """What a restorer gets of pictures that are poor enough."""
    drawn = rasterizer.render(scene, eyes, depth=True)
    rates = np.minimum(splats_per_pixel(scene, eyes), 0.01)
    return Pictures(drawn.color, drawn.alpha, eyes, rates, drawn.depth, layers(scene, eyes))


if __name__ == "__main__":
    main()

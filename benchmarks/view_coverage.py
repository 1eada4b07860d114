"""How far what the encoder learns from its sampled views holds for views it never saw.

    python -m benchmarks.view_coverage [SCENE ...] [--ratio 107] [--per-kind 8] [--levels 1]

A scene is a file, ``room:SEED`` (a generated interior) or ``garden:SEED``, the latter two of degree 0.
Each is encoded with sampled views; the table has the mean PSNR [dB] of the decoded file against the scene
over the encoder's own views, over views sampled with other seeds, and over kinds of views that the sampler
does not know: along walks or orbits of their own, close-ups, up and down, through other fields of view.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.garden import generate_garden, walk
from benchmarks.judging import SEED, SIZE, mean_psnr
from exgs.codec import EncodeConfig, decode, encode
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.scene import (
    Camera,
    Gaussians,
    generate_interior,
    head_cameras,
    read_head_trace,
    read_scene,
    sample_views,
)

SEEDS = (SEED, 4242)
TRACE = Path(__file__).parents[2] / "shared" / "data" / "head-traces" / "eyenavgs" / "user101_room.csv"
ROOM_WALK = np.array(
    [[1.2, 1.5, 1.2], [1.5, 1.65, 2.9], [2.6, 1.6, 3.6], [4.4, 1.2, 4.2], [5.2, 1.6, 2.4], [6.1, 1.7, 2.0],
     [6.7, 1.6, 1.2], [7.6, 1.5, 0.9], [9.0, 1.65, 1.3], [9.0, 1.1, 3.6], [7.9, 1.6, 4.3], [6.7, 1.6, 3.8]]
)  # fmt: skip
"""Eyes along a walk through both rooms of the generated interior: x, height and z in metres."""
Kinds = dict[str, list[Camera]]


def main() -> None:
    """Prints one line per scene."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", default=["room:1", "garden:1"])
    parser.add_argument("--ratio", type=float, default=107.0)
    parser.add_argument("--per-kind", type=int, default=8)
    parser.add_argument("--levels", type=int, default=1)
    args = parser.parse_args()
    rasterizer = choose_rasterizer("cpu")
    for name in args.scenes:
        scene = load(name)
        found = measure(name, scene, args, rasterizer)
        unseen = [value for kind, value in found.items() if kind not in ("own", "seeds")]
        row = "  ".join(f"{kind} {value:5.2f}" for kind, value in found.items())
        print(f"{name:<24} {row}  mean of unseen kinds {np.mean(unseen):.2f}", flush=True)


def load(name: str) -> Gaussians:
    """The scene of that name, seed or path."""
    kind, _, seed = name.partition(":")
    if kind == "room":
        return generate_interior(seed=int(seed), count=200_000).with_sh_degree(0)
    return generate_garden(seed=int(seed)) if kind == "garden" else read_scene(name)


def measure(
    name: str, scene: Gaussians, args: argparse.Namespace, rasterizer: Rasterizer
) -> dict[str, float]:
    """Mean PSNR [dB] of the decoded encoding, by kind of view."""
    config = EncodeConfig(ratio=args.ratio, levels=args.levels)
    decoded = decode(encode(scene, config, rasterizer=rasterizer).data)
    count = config.view_count(len(scene))
    own = sample_views(scene, count, size=config.bounds.view_px)[:: max(1, count // (2 * args.per_kind))]
    seeds = [c for seed in SEEDS for c in sample_views(scene, args.per_kind, seed=seed, size=SIZE)]
    kinds = {"own": own, "seeds": seeds, **independent(name, scene, args.per_kind, rasterizer)}
    return {kind: mean_psnr(scene, decoded, cameras, rasterizer) for kind, cameras in kinds.items()}


def independent(name: str, scene: Gaussians, count: int, rasterizer: Rasterizer) -> Kinds:
    """Kinds of views that owe nothing to the encoder's sampler."""
    if name.startswith(("room", "garden")):
        return _walks(name, scene, count, rasterizer)
    return _orbits(scene, count, rasterizer)


def _walks(name: str, scene: Gaussians, count: int, rasterizer: Rasterizer) -> Kinds:
    room = name.startswith("room")
    eyes = _along(ROOM_WALK * (1, -1, 1), 2 * count) if room else walk(2 * count)
    turns = 2.4 * np.arange(len(eyes))
    level = _heads(eyes, turns, 0.15 * np.sin(1.7 * turns), scene)
    steep = np.where(np.arange(len(eyes)) % 2, 0.9, -0.9)
    kinds = {
        "walk": level,
        "up, down": _heads(eyes[::2], turns[::2] + 1, steep[: len(eyes[::2])], scene),
        "close": _close_ups(scene, level[::2], (0.3, 1.0) if room else (0.11, 0.6), rasterizer),
        "40 deg": [_seen_through(camera, 40) for camera in level[1::2]],
        "90 deg": [_seen_through(camera, 90) for camera in level[::2]],
    }
    if room and TRACE.exists():
        trace = read_head_trace(TRACE)
        kinds["trace"] = head_cameras(trace, scene, np.linspace(0, trace.duration_s, count), size=SIZE)
    return kinds


def _orbits(scene: Gaussians, count: int, rasterizer: Rasterizer) -> Kinds:
    up = scene.frame.up_vector
    low, high = np.percentile(scene.means[scene.opacities > 0.3], (2, 98), axis=0)
    middle, radius = (low + high) / 2, float(np.linalg.norm(high - low)) / 2
    turns = 2.4 * np.arange(count) + 0.5
    side = np.stack([np.roll(np.abs(up), 1), np.cross(up, np.roll(np.abs(up), 1))])
    out = np.column_stack([np.cos(turns), np.sin(turns)]) @ side

    def ring(distance: float, pitch_deg: float) -> list[Camera]:
        pitch = math.radians(pitch_deg)
        eyes = middle + distance * radius * (math.cos(pitch) * out + math.sin(pitch) * up)
        return [_camera(eye, middle, up) for eye in eyes]

    level = ring(1.9, 18)
    return {
        "near": ring(1.35, 30),
        "middle": level,
        "far": ring(3.2, 25),
        "high": ring(2.2, 60),
        "close": _close_ups(scene, level, (0.25 * radius, 0.7 * radius), rasterizer),
        "40 deg": [_seen_through(camera, 40) for camera in level],
        "90 deg": [_seen_through(camera, 90) for camera in level],
    }


def _along(corners: np.ndarray, count: int) -> np.ndarray:
    """[count,3] points evenly along the line through ``corners``."""
    length = np.append(0, np.cumsum(np.linalg.norm(np.diff(corners, axis=0), axis=1)))
    return np.column_stack([np.interp(np.linspace(0, length[-1], count), length, axis) for axis in corners.T])


def _heads(eyes: np.ndarray, yaw: np.ndarray, pitch: np.ndarray, scene: Gaussians) -> list[Camera]:
    up = scene.frame.up_vector
    ways = np.column_stack([np.cos(pitch) * np.cos(yaw), -np.sin(pitch), np.cos(pitch) * np.sin(yaw)])
    return [_camera(eye, eye + way, up) for eye, way in zip(eyes, ways, strict=True)]


def _camera(eye: np.ndarray, target: np.ndarray, up: np.ndarray) -> Camera:
    return Camera.looking(eye, target, up, fov_y_rad=math.radians(60), size=SIZE)


def _seen_through(camera: Camera, fov_y_deg: float) -> Camera:
    focal = camera.height / 2 / math.tan(math.radians(fov_y_deg) / 2)
    return replace(camera, fx=focal, fy=focal)


def _close_ups(
    scene: Gaussians, cameras: Sequence[Camera], reach: tuple[float, float], rasterizer: Rasterizer
) -> list[Camera]:
    """For each camera one that stands nearer, on the way to something that it sees."""
    random, made = np.random.default_rng(5), []
    for camera in cameras:
        weight = rasterizer.render(scene, [camera], weights=True).weight_sum
        assert weight is not None
        chance = np.cumsum(weight, dtype=np.float64)
        target = scene.means[np.searchsorted(chance, random.random() * chance[-1])]
        gap = camera.position - target
        distance = min(random.uniform(*reach) / float(np.linalg.norm(gap)), 1.0)
        made.append(_camera(target + distance * gap, target, scene.frame.up_vector))
    return made


if __name__ == "__main__":
    main()

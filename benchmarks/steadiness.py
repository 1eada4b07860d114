"""Measures how steady a restored video is, over time and between eyes, beside the decoded and the clean one.

    python benchmarks/steadiness.py SCENE FILE.ugc [WEIGHTS ...] [--max-bytes N] [--frames N] [--size 480x272]
                                    [--head-trace CSV] [--any-rate]

FILE.ugc is SCENE encoded. A head walks as ``exgs play`` lets it, at 30 frames a second, with both eyes.
``restored`` restores every frame and eye for itself, ``recalled`` as ``exgs play`` does; both leave alone
what the manifest's rate says, but for ``--any-rate``. Errors are root mean square
differences of colours on surfaces that both pictures show (``exgs.painter.steadiness``), in brackets over
those of the clean video; PSNR and FLIP are of every sixth frame's left eye against the clean one.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from exgs.codec import decode
from exgs.painter import Identity, Restorer, choose_restorer, draw
from exgs.painter.choose import choose_network
from exgs.painter.gate import Gate
from exgs.painter.recall import Recall
from exgs.painter.restorer import NetworkRestorer
from exgs.painter.shelf import shipped
from exgs.painter.steadiness import steadiness
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.raster.quality import compare_pictures
from exgs.scene import (
    Camera,
    Gaussians,
    head_cameras,
    read_head_trace,
    read_scene,
    starting_view,
    stereo_pair,
    synthetic_head_trace,
)

FPS, BEGIN_S, EYES_M = 30, 1.0, 0.063
JUDGED = 6
"""Every so manieth frame is judged."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scene", type=Path)
    parser.add_argument("stream", type=Path)
    parser.add_argument("weights", nargs="*", default=list(shipped()))
    parser.add_argument("--max-bytes", type=int)
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--size", default="480x272")
    parser.add_argument("--head-trace", type=Path)
    parser.add_argument("--any-rate", action="store_true")
    args = parser.parse_args()
    source, rasterizer = read_scene(args.scene), choose_rasterizer("auto")
    decoded = decode(args.stream.read_bytes(), max_bytes=args.max_bytes)
    width, height = (int(side) for side in args.size.split("x"))
    walk = eyes_along(source, (width, height), args.frames, args.head_trace)
    drawn = [rasterizer.render(source, eyes, depth=True) for eyes in walk]
    clean, depths = np.stack([d.color for d in drawn]), np.stack([d.depth for d in drawn])
    videos = {"clean": clean, "decoded": video(Identity(), decoded, walk, rasterizer)}
    for name in args.weights:
        for kind, moving in (("restored", False), ("recalled", True)):
            restorer = restorer_of(name, moving, any_rate=args.any_rate)
            videos[f"{kind} by {restorer.name}"] = video(restorer, decoded, walk, rasterizer)
    report(videos, depths, walk)


def restorer_of(name: str, moving: bool, *, any_rate: bool) -> Restorer:
    """Restores frames for themselves, or as those of a video."""
    if not any_rate:
        return choose_restorer(name, video=moving)
    weights, network = choose_network(name)
    manifest = replace(weights.manifest, gate=Gate(math.inf))
    return NetworkRestorer(network, manifest, recall=Recall() if moving else None)


def eyes_along(
    scene: Gaussians, size: tuple[int, int], frames: int, recorded: Path | None
) -> list[tuple[Camera, Camera]]:
    """Both eyes, frame by frame, of the built-in walk or a recorded one."""
    start = starting_view(scene)
    times_s = BEGIN_S + np.arange(frames) / FPS
    built_in = synthetic_head_trace(seconds=float(times_s[-1]) + 1)
    trace = read_head_trace(recorded) if recorded else built_in
    heads = head_cameras(trace, scene, times_s, size=size, start=start)
    return [stereo_pair(head, EYES_M * start.units_per_metre) for head in heads]


def video(
    restorer: Restorer, scene: Gaussians, walk: Sequence[Sequence[Camera]], rasterizer: Rasterizer
) -> np.ndarray:
    """[F,2,H,W,3] what a viewer sees."""
    return np.stack([restorer.restore(draw(rasterizer, restorer, scene, eyes)).color for eyes in walk])


def report(videos: dict[str, np.ndarray], depths: np.ndarray, walk: Sequence[Sequence[Camera]]) -> None:
    clean = videos["clean"]
    best = steadiness(clean, depths, walk)
    assert best.temporal and best.stereo
    print(f"{'video':28} {'temporal':>15} {'stereo':>15} {'PSNR':>7} {'FLIP':>7}")
    for name, pictures in videos.items():
        found = steadiness(pictures, depths, walk)
        assert found.temporal is not None and found.stereo is not None
        judged = [
            compare_pictures(a[0], b[0]) for a, b in zip(clean[::JUDGED], pictures[::JUDGED], strict=True)
        ]
        over_time = f"{found.temporal:.5f} ({found.temporal / best.temporal:.2f})"
        between = f"{found.stereo:.5f} ({found.stereo / best.stereo:.2f})"
        psnr, flip = (np.mean([getattr(q, measure) for q in judged]) for measure in ("psnr", "flip"))
        print(f"{name:28} {over_time:>15} {between:>15} {psnr:7.2f} {flip:7.4f}")


if __name__ == "__main__":
    main()

"""Milliseconds a frame of the CPU rasteriser, beside the referee's C++ in the same run.

    python benchmarks/raster.py [SCENE ...] [--views N] [--repeats N] [--threads N] [--json]

SCENE names the files of ../shared/data/cameras (all of them where none is named). Runs of both alternate
over every view, so that whatever else the machine does weighs on both alike; figures are medians. Without
../shared a generated cloud is drawn, and without g++ the referee is left out.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from exgs.raster import choose_rasterizer
from exgs.raster.quality import psnr
from exgs.scene import Camera, Gaussians, read_cameras, read_scene

SHARED = Path(__file__).resolve().parents[1].parent / "shared"
FILES = {
    "flowers": "flowers/lod-meta.json",
    "guitar": "guitar.compressed.ply",
    "luma-seal": "luma-seal.splat",
    "playbot": "playbot/lod-meta.json",
    "skull": "skull.sog",
    "st-peter": "st-peter.sog",
    "angel": "angel.sog",
    "angel-kneeling": "angel-kneeling.sog",
    "massa": "massa.sog",
}
SIZE = (640, 360)
HEADER = "scene            Gaussians  SH   exgs ms  referee ms   ratio  PSNR dB"

Draw = Callable[[Camera], np.ndarray]


@dataclass(frozen=True)
class Row:
    """One scene."""

    scene: str
    gaussians: int
    sh_degree: int
    exgs_ms: float
    referee_ms: float | None
    ratio: float | None
    psnr_min: float | None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"one of {', '.join(FILES)}")
    parser.add_argument("--views", type=int, default=8, help="cameras per scene, spread over its file (8)")
    parser.add_argument("--repeats", type=int, default=3, help="runs per view and rasteriser (3)")
    parser.add_argument("--threads", type=int, default=None, help="threads of the CPU rasteriser (all)")
    parser.add_argument("--json", action="store_true", help="print JSON lines")
    args = parser.parse_args()
    unknown = set(args.scenes) - set(FILES)
    if unknown:
        parser.error(f"unknown scene {sorted(unknown)[0]!r}: expected {', '.join(FILES)}")
    cpu = choose_rasterizer(
        "cpu", threads=args.threads, on_compile=lambda text: print(text + " ...", file=sys.stderr)
    )
    library = referee_library()
    if not args.json:
        print(HEADER)
    for name, gaussians, cameras in scenes(args.scenes):
        views = cameras[:: max(1, len(cameras) // args.views)][: args.views]
        theirs = referee_draw(library, gaussians) if library else None
        row = measure(
            name, gaussians, (lambda c, g=gaussians: cpu.render(g, [c]).color[0], theirs), views, args.repeats
        )
        print(json.dumps(asdict(row)) if args.json else line(row), flush=True)


def measure(
    name: str, gaussians: Gaussians, draws: tuple[Draw, Draw | None], views: list[Camera], repeats: int
) -> Row:
    """Median times over all views and repeats; the first run of each view is not counted."""
    ours, theirs = draws
    times: tuple[list[float], list[float]] = ([], [])
    worst = math.inf
    for camera in views:
        pictures = [draw(camera) for draw in (ours, theirs) if draw is not None]
        if theirs is not None:
            worst = min(worst, psnr(pictures[1], pictures[0]))
        for _ in range(repeats):
            for draw, taken in zip((ours, theirs), times, strict=True):
                if draw is not None:
                    start = time.perf_counter()
                    draw(camera)
                    taken.append(1e3 * (time.perf_counter() - start))
    mine = float(np.median(times[0]))
    if theirs is None:
        return Row(name, len(gaussians), gaussians.sh_degree, mine, None, None, None)
    other = float(np.median(times[1]))
    return Row(name, len(gaussians), gaussians.sh_degree, mine, other, other / mine, worst)


def line(row: Row) -> str:
    numbers = [
        f"{row.referee_ms:12.1f}{row.ratio:8.2f}{row.psnr_min:9.1f}" if row.ratio else f"{'-':>12}{'-':>8}"
    ]
    return f"{row.scene:<16}{row.gaussians:>10}{row.sh_degree:>4}{row.exgs_ms:10.1f}" + "".join(numbers)


def scenes(names: list[str]) -> Iterator[tuple[str, Gaussians, list[Camera]]]:
    """Real scenes where there are any, else a generated cloud of 200,000 Gaussians."""
    if not (SHARED / "data").is_dir():
        yield "generated cloud", cloud(200_000), around(np.zeros(3), 3.0)
        return
    for name in names or FILES:
        gaussians = read_scene(SHARED / "data" / "scenes" / FILES[name])
        path = SHARED / "data" / "cameras" / f"{name}.json"
        yield name, gaussians, read_cameras(path) if path.exists() else orbit(gaussians)


def orbit(gaussians: Gaussians) -> list[Camera]:
    """Cameras around a scene that came without any, at twice the spread of its middle 90 %."""
    low, high = np.percentile(gaussians.means, (5, 95), axis=0)
    return around((low + high) / 2, 1.4 * float(np.linalg.norm(high - low)))


def around(centre: np.ndarray, distance: float, count: int = 24) -> list[Camera]:
    """A ring of cameras that look at ``centre``."""
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    places = [centre + distance * np.array([np.sin(a), -0.3, np.cos(a)]) for a in angles]
    return [Camera.looking(p, centre, np.array([0.0, -1, 0]), fov_y_rad=0.63, size=SIZE) for p in places]


def cloud(count: int) -> Gaussians:
    """Small flat Gaussians on a sphere."""
    random = np.random.default_rng(0)
    means = random.standard_normal((count, 3))
    return Gaussians(
        means=(means / np.linalg.norm(means, axis=1, keepdims=True)).astype(np.float32),
        quats=random.standard_normal((count, 4)).astype(np.float32),
        log_scales=(random.normal(-5, 0.6, (count, 3))).astype(np.float32),
        opacity_logits=random.normal(1, 2, count).astype(np.float32),
        sh0=random.standard_normal((count, 1, 3)).astype(np.float32),
        shN=(0.1 * random.standard_normal((count, 15, 3))).astype(np.float32),
    )


def referee_library() -> Any:
    """The referee's compiled rasteriser, or None where it cannot be had."""
    if not (SHARED / "referee").is_dir() or shutil.which("g++") is None:
        return None
    sys.path.insert(0, str(SHARED / "referee"))
    import referee

    return referee.library()


def referee_draw(library: Any, gaussians: Gaussians) -> Draw:
    """The referee's rasteriser on the same values, activated beforehand as it wants them."""
    arrays = [
        gaussians.means,
        gaussians.scales,
        gaussians.quats,
        gaussians.opacities,
        gaussians.sh0[:, 0],
        gaussians.shN.transpose(0, 2, 1),
    ]
    held = [np.ascontiguousarray(array, np.float32) for array in arrays]

    def pointer(array: np.ndarray) -> ctypes.c_void_p:
        return array.ctypes.data_as(ctypes.c_void_p)

    def draw(camera: Camera) -> np.ndarray:
        turn = np.ascontiguousarray(camera.camera_from_world[:3, :3], np.float32)
        shift = np.ascontiguousarray(camera.camera_from_world[:3, 3], np.float32)
        image = np.zeros((camera.height, camera.width, 3), np.float32)
        alpha = np.zeros((camera.height, camera.width), np.float32)
        lens = [ctypes.c_float(value) for value in (camera.fx, camera.fy, camera.cx, camera.cy)]
        scene = [pointer(array) for array in held]
        library.rasterise(
            len(gaussians), *scene, gaussians.sh_degree, pointer(turn), pointer(shift), *lens,
            camera.width, camera.height, pointer(image), pointer(alpha),
        )  # fmt: skip
        return image

    return draw


if __name__ == "__main__":
    main()

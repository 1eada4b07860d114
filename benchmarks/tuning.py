"""What the encoder's constants are worth, on views that neither the encoder nor the referee uses.

    python -m benchmarks.tuning SCENE [SCENE ...] [--ratio 107] [--views 24] [--only NAME]

For each constant and value: the mean over the scenes of the PSNR of the decoded file, over views sampled with
a seed of their own at 640 x 360, less that of the shipped value. The shipped constants are to stand at, or
within noise of, the best of their row.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.altering import altered, part
from benchmarks.judging import fidelity
from exgs.codec import EncodeConfig, Precision, encode
from exgs.codec.encoding.rate import BALANCED
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.scene import Gaussians, read_scene

CONSTANTS: dict[str, tuple[str, Sequence[Any]]] = {
    "encoding.leaves.LOW_PASS_PX2": ("ugc", (0.05, 0.15, 0.3)),
    "encoding.visibility.SURROUNDINGS": ("ugc", (16, 48, 144)),
    "encoding.rate.BALANCED": ("ugc", tuple(BALANCED.scaled(factor) for factor in (0.8, 1.0, 1.25))),
    "encoding.planning.LOOKS": ("ugc", (0, 1, 2)),
    "encoding.planning.SCENE_SHARE": ("ugc", (0.3, 0.6, 1.0)),
    "encoding.probing.HARMONICS": ("ugc", (0.25, 0.5, 1.0)),
    "encoding.amplify.GROWTH": ("exgs", (0.15, 0.25, 0.35)),
    "encoding.amplify.LARGEST": ("exgs", (2.0, 4.0, 8.0)),
    "encoding.baseline.SPLATS_PER_VOXEL": ("exgs", (1, 3, 10)),
}
"""Constant of exgs.codec: the method that it serves, values to try."""


def main() -> None:
    """Prints one line per constant."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="+", type=Path)
    parser.add_argument("--ratio", type=float, default=107.0)
    parser.add_argument("--views", type=int, default=24)
    parser.add_argument("--only", choices=CONSTANTS)
    args = parser.parse_args()
    scenes, rasterizer = [read_scene(path) for path in args.scenes], choose_rasterizer("cpu")
    for name in [args.only] if args.only else CONSTANTS:
        method, values = CONSTANTS[name]
        shipped = part(name)
        scores = {}
        for value in dict.fromkeys((shipped, *values)):
            with altered({name: value}):
                config = EncodeConfig(ratio=args.ratio, method=method)  # type: ignore[arg-type]
                scores[value] = [score(scene, config, args.views, rasterizer) for scene in scenes]
        line = "  ".join(
            f"{short(value)}: {np.mean(np.subtract(found, scores[shipped])):+.2f} dB"
            for value, found in scores.items()
        )
        print(f"{name:<34} shipped {short(shipped)}  {line}", flush=True)


def score(scene: Gaussians, config: EncodeConfig, views: int, rasterizer: Rasterizer) -> float:
    """Mean PSNR [dB] of an encoding of ``scene``."""
    return fidelity(scene, encode(scene, config, rasterizer=rasterizer).data, views, rasterizer)


def short(value: Any) -> str:
    """A value in few characters."""
    return f"x{value.colour / Precision().colour:.2f}" if isinstance(value, Precision) else f"{value:g}"


if __name__ == "__main__":
    main()

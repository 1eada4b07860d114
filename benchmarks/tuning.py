"""What the encoder's constants are worth, on views that neither the encoder nor the referee uses.

    python benchmarks/tuning.py SCENE [SCENE ...] [--ratio 107] [--views 24] [--only NAME]

For each constant and value: the mean over the scenes of the PSNR of the decoded file, over views sampled with
a seed of their own at 480 x 270, less that of the shipped value. The shipped constants are to stand at, or
within noise of, the best of their row.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from exgs.codec import EncodeConfig, Precision, decode, encode
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.raster.quality import psnr
from exgs.scene import Gaussians, read_scene, sample_views

SEED = 777
SIZE = (480, 270)
CONSTANTS: dict[str, tuple[tuple[str, ...], str, Sequence[Any]]] = {
    "LOW_PASS_PX2": (("merging",), "ugc", (0.05, 0.15, 0.3)),
    "SURROUNDINGS": (("visibility",), "ugc", (16, 48, 144)),
    "BALANCED": (
        ("rate", "methods"),
        "ugc",
        tuple(Precision().scaled(factor) for factor in (0.5, 0.65, 0.8)),
    ),
    "GROWTH": (("amplify",), "exgs", (0.15, 0.25, 0.35)),
    "LARGEST": (("amplify",), "exgs", (2.0, 4.0, 8.0)),
    "SPLATS_PER_VOXEL": (("baseline",), "exgs", (1, 3, 10)),
}
"""Constant: the modules of exgs.codec that hold it, the method that it serves, values to try."""


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
        modules, method, values = CONSTANTS[name]
        shipped = getattr(importlib.import_module(f"exgs.codec.{modules[0]}"), name)
        scores = {}
        for value in dict.fromkeys((shipped, *values)):
            with setting(modules, name, value):
                config = EncodeConfig(ratio=args.ratio, method=method)  # type: ignore[arg-type]
                scores[value] = [score(scene, config, args.views, rasterizer) for scene in scenes]
        line = "  ".join(
            f"{short(value)}: {np.mean(np.subtract(found, scores[shipped])):+.2f} dB"
            for value, found in scores.items()
        )
        print(f"{name:<17} shipped {short(shipped)}  {line}", flush=True)


def score(gaussians: Gaussians, config: EncodeConfig, views: int, rasterizer: Rasterizer) -> float:
    """Mean PSNR [dB] of the decoded encoding over views of its own."""
    decoded = decode(encode(gaussians, config, rasterizer=rasterizer).data)
    cameras = sample_views(gaussians, views, seed=SEED, size=SIZE)
    pairs = [
        [rasterizer.render(scene, [camera]).color[0] for scene in (gaussians, decoded)] for camera in cameras
    ]
    return float(np.mean([psnr(reference, test) for reference, test in pairs]))


@contextmanager
def setting(modules: Sequence[str], name: str, value: Any) -> Iterator[None]:
    """Another value for a constant while the block runs."""
    places = [importlib.import_module(f"exgs.codec.{module}") for module in modules]
    before = getattr(places[0], name)
    for place in places:
        setattr(place, name, value)
    try:
        yield
    finally:
        for place in places:
            setattr(place, name, before)


def short(value: Any) -> str:
    """A value in few characters."""
    return f"x{value.colour / Precision().colour:.2f}" if isinstance(value, Precision) else f"{value:g}"


if __name__ == "__main__":
    main()

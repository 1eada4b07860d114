"""What is left of gloss: how well a file keeps what of a scene changes with the direction it is seen from.

    python -m benchmarks.gloss SCENE [SCENE ...] [--ratio 107] [--views 24] [--only NAME]

The scene drawn with its harmonics less the scene drawn without them is its gloss. For each file, over views
sampled with a seed of their own: PSNR of all pixels, PSNR of the 2 % of pixels with the most gloss, and the
correlation of the gloss of the file with that of the scene, over all pixels that the scene covers.
Files: as shipped; with every coefficient as it rounds; with no harmonics at all.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.altering import altered
from benchmarks.judging import judging_views
from exgs.codec import EncodeConfig, decode, encode
from exgs.codec.encoding.rate import BALANCED
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.scene import Camera, Gaussians, read_scene

SHINIEST = 0.02
"""Share of the pixels that count as highlights."""
FILES: dict[str, tuple[dict[str, Any], int | None]] = {
    "shipped": ({}, None),
    "as they round": ({"encoding.rate.BALANCED": replace(BALANCED, thrift=0.0)}, None),
    "none": ({}, 0),
}
"""Parts of exgs.codec to exchange, and the highest degree."""


@dataclass(frozen=True)
class Gloss:
    """How a file shows a scene."""

    psnr_db: float
    """Of all pixels."""
    highlights_db: float
    """Of the pixels with the most gloss."""
    correlation: float
    """Of the gloss of the file with that of the scene, -1 to 1."""


def main() -> None:
    """Prints one line per file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="+", type=Path)
    parser.add_argument("--ratio", type=float, default=107.0)
    parser.add_argument("--views", type=int, default=24)
    parser.add_argument("--only", choices=FILES)
    args = parser.parse_args()
    rasterizer = choose_rasterizer("cpu")
    for path in args.scenes:
        scene = read_scene(path)
        cameras = judging_views(scene, args.views)
        for name in [args.only] if args.only else FILES:
            changes, degree = FILES[name]
            with altered(changes):
                encoding = encode(
                    scene, EncodeConfig(ratio=args.ratio, sh_degree=degree), rasterizer=rasterizer
                )
            found = measure(scene, decode(encoding.data), cameras, rasterizer)
            print(
                f"{path.stem:<16} {name:<14} {len(encoding.data):>9,} bytes "
                f"{encoding.report.splats_kept:>7,} Gaussians  {found.psnr_db:5.2f} dB  "
                f"highlights {found.highlights_db:5.2f} dB  correlation {found.correlation:.3f}",
                flush=True,
            )


def measure(scene: Gaussians, decoded: Gaussians, cameras: Sequence[Camera], rasterizer: Rasterizer) -> Gloss:
    """Compares both over ``cameras``."""
    truth, gloss = _drawn(scene, cameras, rasterizer)
    shown, kept = _drawn(decoded, cameras, rasterizer)
    error = np.square(np.clip(shown, 0.0, 1.0) - np.clip(truth, 0.0, 1.0)).mean(axis=-1)
    strength = np.square(gloss).sum(axis=-1)
    bright = strength >= np.quantile(strength, 1.0 - SHINIEST)
    seen = strength > 0
    alike = np.corrcoef(gloss[seen].ravel(), kept[seen].ravel())[0, 1] if kept.any() else 0.0
    return Gloss(_decibels(error.mean()), _decibels(error[bright].mean()), float(alike))


def _drawn(
    scene: Gaussians, cameras: Sequence[Camera], rasterizer: Rasterizer
) -> tuple[np.ndarray, np.ndarray]:
    """[V,H,W,3] pictures, and their gloss."""
    plain = scene.with_sh_degree(0)
    pictures = np.concatenate([rasterizer.render(scene, [camera]).color for camera in cameras])
    return pictures, pictures - np.concatenate([rasterizer.render(plain, [c]).color for c in cameras])


def _decibels(squared: float) -> float:
    return -10.0 * float(np.log10(max(squared, 1e-12)))


if __name__ == "__main__":
    main()

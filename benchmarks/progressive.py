"""One file, many rates: the quality of each prefix beside that of a file encoded for exactly that size.

    python -m benchmarks.progressive SCENE [SCENE ...] [--ratio 20 --ratio 107] [--share 0.1 ...] [--views 16]

None of the views that judge is among those that the encoder looks from.
``interior`` names the generated room of the tests.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.judging import judging_views
from exgs.codec import EncodeConfig, Truncated, decode, encode
from exgs.raster import choose_rasterizer
from exgs.raster.quality import psnr
from exgs.raster.seam import Rasterizer
from exgs.scene import Gaussians, generate_interior, read_scene

SHARES = (0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 1.0)
"""Prefixes that are compared with files of their size."""
STEPS = 24
"""Prefixes that must not be worse than shorter ones, evenly spaced."""


class Judge:
    """Views of the source that no encoder sees."""

    def __init__(self, source: Gaussians, rasterizer: Rasterizer, views: int) -> None:
        self.rasterizer = rasterizer
        self.cameras = judging_views(source, views)
        self.pictures = [rasterizer.render(source, [camera]).color[0] for camera in self.cameras]

    def psnr(self, gaussians: Gaussians) -> float:
        """Mean over the views [dB]."""
        pairs = zip(self.pictures, self.cameras, strict=True)
        return float(np.mean([psnr(a, self.rasterizer.render(gaussians, [b]).color[0]) for a, b in pairs]))


def read(name: str) -> Gaussians:
    """The scene in a file, or the generated room."""
    return generate_interior(seed=3, count=150_000) if name == "interior" else read_scene(name)


def compare(source: Gaussians, judge: Judge, ratio: float, shares: tuple[float, ...]) -> None:
    """Prints the table of one scene at one ratio."""
    encoding = encode(source, EncodeConfig(ratio=ratio), rasterizer=judge.rasterizer)
    data, levels = encoding.data, encoding.report.level_splats
    print(f"ratio {ratio:g}: {len(data)} bytes, {' + '.join(map(str, levels))} splats")
    print("| bytes | share | prefix | own file | gap |\n|---|---|---|---|---|")
    for share in shares:
        size = max(int(len(data) * share), 1)
        own = encode(source, EncodeConfig(max_bytes=size), rasterizer=judge.rasterizer)
        prefix, whole = judge.psnr(decode(data, size)), judge.psnr(decode(own.data))
        print(f"| {size} | {share:.0%} | {prefix:.2f} | {whole:.2f} | {whole - prefix:.2f} |", flush=True)
    single = encode(source, EncodeConfig(max_bytes=len(data), levels=1), rasterizer=judge.rasterizer)
    print(f"one level of the same size: {judge.psnr(decode(single.data)):.2f} dB")
    print(f"largest fall from a prefix to a longer one: {largest_fall(data, judge):.2f} dB\n", flush=True)


def largest_fall(data: bytes, judge: Judge) -> float:
    """By how much [dB] a prefix is worse than the best shorter one, at most."""
    best, fall = -np.inf, 0.0
    for step in range(1, STEPS + 1):
        try:
            now = judge.psnr(decode(data, len(data) * step // STEPS))
        except Truncated:
            continue
        fall, best = max(fall, best - now), max(best, now)
    return fall


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("scenes", nargs="+", help="scene files, or 'interior'")
    parser.add_argument("--ratio", type=float, action="append", help="ratio of the whole file (20 and 107)")
    parser.add_argument("--share", type=float, action="append", help="prefix to compare, 0 to 1")
    parser.add_argument("--views", type=int, default=16, help="views that judge")
    options = parser.parse_args()
    for name in options.scenes:
        source = read(name)
        judge = Judge(source, choose_rasterizer("cpu"), options.views)
        print(f"## {Path(name).stem}, {len(source)} Gaussians")
        for ratio in options.ratio or (20.0, 107.0):
            compare(source, judge, ratio, tuple(options.share or SHARES))


if __name__ == "__main__":
    main()

"""Encodes scenes and prints what it took.

    python benchmarks/encode.py SCENE [SCENE ...] [--ratios 20,107,500] [--methods ugc,exgs] [--threads N]

One line per encoding: bytes, Gaussians kept, PSNR over the encoder's own views, and seconds per phase. Own
views flatter: ``make bench-codec`` asks the independent referee.
"""

from __future__ import annotations

import argparse
import resource
import time
from pathlib import Path

from exgs.codec import EncodeConfig, Report, encode
from exgs.raster import choose_rasterizer
from exgs.scene import Gaussians, read_scene


class Stopwatch:
    """Seconds per phase, by the progress that an encoding tells."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._phase, self._since = "", time.perf_counter()

    def __call__(self, phase: str, share: float) -> None:
        """Books the time since the last call on the phase that was under way."""
        now = time.perf_counter()
        if self._phase:
            self.seconds[self._phase] = self.seconds.get(self._phase, 0.0) + now - self._since
        self._phase, self._since = phase, now


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="+", type=Path)
    parser.add_argument("--ratios", default="20,107,500")
    parser.add_argument("--methods", default="ugc,exgs")
    parser.add_argument("--threads", type=int, default=None)
    args = parser.parse_args()
    for path in args.scenes:
        gaussians = read_scene(path)
        for ratio in (float(word) for word in args.ratios.split(",")):
            for method in args.methods.split(","):
                measure(path, gaussians, EncodeConfig(method=method, ratio=ratio), args.threads)


def measure(path: Path, gaussians: Gaussians, config: EncodeConfig, threads: int | None) -> None:
    watch = Stopwatch()
    rasterizer = choose_rasterizer("auto", threads=threads)
    report = encode(gaussians, config, rasterizer=rasterizer, progress=watch).report
    print(f"{path.name} {as_line(config, report)}", as_seconds(watch.seconds), flush=True)


def as_line(config: EncodeConfig, report: Report) -> str:
    return (
        f"{report.method} 1:{config.ratio:g} {report.size_bytes} of {report.budget_bytes} bytes, "
        f"{report.splats_kept} of {report.splats_in} Gaussians in {len(report.level_splats)} levels, "
        f"SH {report.sh_degree}, {report.psnr_db:.2f} dB over {report.views} own views,"
    )


def as_seconds(seconds: dict[str, float]) -> str:
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    phases = ", ".join(f"{phase} {value:.1f}" for phase, value in seconds.items())
    return f"{sum(seconds.values()):.1f} s ({phases}), peak {peak_mib:.0f} MiB"


if __name__ == "__main__":
    main()

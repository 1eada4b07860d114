"""Do virtual time and reality agree? The same trials on both engines, a table with ratios.

    python benchmarks/agreement.py                        # all cases, median of three real runs
    python benchmarks/agreement.py --runs 1 --only 20,0.025,0

Each cell is real / virtual = ratio. ``rate``: megabits per second of chunks in the second half of the loading
time; under loss both engines are played with several seeds, and medians are compared. Server, client and
relay share this machine: where it is busy, reality is slower than the link.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import uvloop

from exgs.codec import Container, EncodeConfig, decode, decode_chunk, encode, open_container
from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.real import play_real
from exgs.experiments.timeline import Timeline, Trial
from exgs.experiments.virtual import play_virtual
from exgs.raster import choose_rasterizer
from exgs.scene import generate_interior, starting_view, synthetic_head_trace

CASES = (
    (2, 0.025, 0.0),
    (2, 0.025, 0.02),
    (5, 0.025, 0.0),
    (20, 0.005, 0.0),
    (20, 0.025, 0.0),
    (20, 0.05, 0.0),
    (20, 0.025, 0.005),
    (20, 0.025, 0.02),
)
"""Megabits per second, seconds one way, share of packets lost."""
VIRTUAL_SEEDS = 9


@dataclass(frozen=True)
class Figures:
    """What is compared."""

    opened_s: float
    first_frame_s: float
    complete_s: float
    rate_mbps: float


def figures(timelines: Sequence[Timeline]) -> Figures:
    """Medians."""

    def median(values: list[float | None]) -> float:
        known = [value for value in values if value is not None]
        return statistics.median(known) if known else float("nan")

    return Figures(
        median([line.opened_s for line in timelines]),
        median([line.first_frame_s for line in timelines]),
        median([line.complete_s for line in timelines]),
        median([late_mbps(line) for line in timelines]),
    )


def late_mbps(timeline: Timeline) -> float | None:
    """Megabits per second of chunks that arrived in the second half of the time of loading."""
    times = [(row.received_s, row.size_bytes) for row in timeline.chunks if row.received_s is not None]
    if len(times) < 2 or times[-1][0] <= times[0][0]:
        return None
    middle_s = (times[0][0] + times[-1][0]) / 2
    size = sum(size for at_s, size in times if at_s > middle_s)
    return size * 8 / 1e6 / (times[-1][0] - middle_s)


def trial_of(container: Container, case: tuple[float, float, float], args: argparse.Namespace) -> Trial:
    """A session on the link of ``case``."""
    mbps, delay_s, loss = case
    header = container.header
    start = header.start or starting_view(decode(container.data))
    path = synthetic_head_trace(seconds=args.seconds, seed=0).placed(start, header.frame.up_vector)
    queue = max(65536, int(mbps * 1e6 / 8 * 0.1))
    link = LinkSettings(Rate.constant(mbps), delay_s, loss=loss, queue_bytes=queue)
    return Trial(
        container, path, link, link, args.system, args.seconds,
        decode_splats_per_s=args.decode_splats_per_s or decoding_rate(container),
    )  # fmt: skip


def decoding_rate(container: Container) -> float:
    """Splats per second of this machine's decoder, over a hundred chunks."""
    chosen = container.manifest[:: max(1, len(container.manifest) // 100)]
    began_s = time.perf_counter()
    for chunk in chosen:
        decode_chunk(container.parsed, chunk.id, container.chunk(chunk.id))
    return sum(chunk.count for chunk in chosen) / (time.perf_counter() - began_s)


def open_scene(file: Path | None) -> Container:
    """The scene named, or an interior."""
    if file is not None:
        return open_container(file.read_bytes())
    config = EncodeConfig(ratio=12.0, views=24)
    rasterizer = choose_rasterizer("cpu")
    return open_container(
        encode(generate_interior(seed=11, count=150_000), config, rasterizer=rasterizer).data
    )


def cell(real: float, virtual: float) -> str:
    return f"{real:6.2f} / {virtual:6.2f} = {real / virtual:4.2f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scene", type=Path, default=None, help="a .ugc file; an interior by default")
    parser.add_argument("--system", default="error", choices=("error", "level", "file"))
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--decode-splats-per-s", type=float, default=None, help="measured by default")
    parser.add_argument("--only", metavar="MBPS,DELAY_S,LOSS", help="one link instead of all")
    args = parser.parse_args()
    container = open_scene(args.scene)
    cases = CASES if args.only is None else [tuple(float(word) for word in args.only.split(","))]
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; "
        f"{len(container.data):,} bytes in {len(container.manifest)} chunks; real / virtual = ratio, medians"
    )
    print(
        "Mbit/s  one way  loss      opened, s               first frame, s          "
        "complete, s             rate, Mbit/s"
    )
    for case in cases:
        trial = trial_of(container, case, args)
        seeds = range(VIRTUAL_SEEDS if case[2] else 1)
        virtual = figures([play_virtual(replace(trial, seed=seed)) for seed in seeds])
        real = figures(
            [
                play_real(replace(trial, seed=seed), loop_factory=uvloop.new_event_loop)
                for seed in range(args.runs)
            ]
        )
        row = "   ".join(
            cell(getattr(real, name), getattr(virtual, name))
            for name in ("opened_s", "first_frame_s", "complete_s", "rate_mbps")
        )
        print(f"{case[0]:6g}  {1000 * case[1]:4g} ms  {case[2]:5.1%}  {row}", flush=True)


if __name__ == "__main__":
    main()

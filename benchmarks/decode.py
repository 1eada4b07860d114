"""Times the bitstream alone: writing a scene as one level, and decoding it on one core.

    python benchmarks/decode.py FILE [FILE ...] [--factors 1,0.7,2] [--sh-degree N] [--repeats N]

FILE is a scene, or a .ugc file, which is only decoded. A scene is written as it is, every splat of it, with
all quantisation steps times each of the factors. Million splats a second are the best of the repeats,
compilation left out; bits per splat are listed by section.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from exgs.codec import Level, Precision, Pyramid, decode_chunk, open_container, serialize_measured
from exgs.codec.writing.measure import SECTIONS
from exgs.scene import Gaussians, read_scene

HEADING = "file                     steps   splats     bytes B/splat write M/s decode M/s  bits per splat"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--factors", default="1,0.7,2")
    parser.add_argument("--sh-degree", type=int, choices=range(4))
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    print(HEADING)
    for path in args.files:
        if path.suffix == ".ugc":
            data = path.read_bytes()
            splats, seconds = decoding(data, args.repeats)
            print(f"{path.name:24} {'':5} {splats:8d} {len(data):9d} {len(data) / splats:7.2f}", end="")
            print(f" {'':9} {splats / seconds / 1e6:10.2f}")
            continue
        gaussians = read_scene(path)
        if args.sh_degree is not None:
            gaussians = gaussians.with_sh_degree(args.sh_degree)
        for factor in (float(word) for word in args.factors.split(",")):
            measure(path, gaussians, factor, args.repeats)


def measure(path: Path, gaussians: Gaussians, factor: float, repeats: int) -> None:
    splats = len(gaussians)
    pyramid = Pyramid((Level(gaussians, None, np.ones(splats, np.float32)),))
    precision = Precision().scaled(factor)
    written = serialize_measured(pyramid, precision)
    writing = best(lambda: serialize_measured(pyramid, precision), max(repeats // 2, 1))
    _, reading = decoding(written.data, repeats)
    size = len(written.data)
    bits = "  ".join(f"{name} {8 * written.section_bytes[name] / splats:.1f}" for name in SECTIONS)
    print(f"{path.name:24} {factor:5.2f} {splats:8d} {size:9d} {size / splats:7.2f}", end="")
    print(f" {splats / writing / 1e6:9.2f} {splats / reading / 1e6:10.2f}  {bits}", flush=True)


def decoding(data: bytes, repeats: int) -> tuple[int, float]:
    """Splats of all chunks of a file, and the seconds to decode them."""
    container = open_container(data)

    def whole() -> None:
        for chunk in container.manifest:
            decode_chunk(container.parsed, chunk.id, container.chunk(chunk.id))

    whole()
    return sum(chunk.count for chunk in container.manifest), best(whole, repeats)


def best(work: Callable[[], object], repeats: int) -> float:
    """The shortest of the times that ``work`` takes, in seconds."""
    times = []
    for _ in range(repeats):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times)


if __name__ == "__main__":
    main()

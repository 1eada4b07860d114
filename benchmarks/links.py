"""How fast one scene comes over links of many kinds, on virtual time.

    python -m benchmarks.links [FILE.ugc] [--only 20/50] [--traces FOLDER]

A line for each link: seconds from the offer to the first frame and to the last chunk, and megabits per
second in between. Links are named by Mbit/s, round trip in ms and loss; each has a queue of a tenth of a
second and at least 64 KiB, recorded ones have 256 KiB and a round trip of 50 ms. Without a file a generated
interior is encoded.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from exgs.codec import Container, EncodeConfig, decode, encode, open_container
from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate, read_rate
from exgs.experiments.timeline import Trial
from exgs.experiments.virtual import play_virtual
from exgs.raster import choose_rasterizer
from exgs.scene import HeadPath, generate_interior, synthetic_head_trace

KINDS = (
    (2, 50, 0.0),
    (5, 10, 0.0),
    (5, 50, 0.0),
    (20, 10, 0.0),
    (20, 50, 0.0),
    (20, 100, 0.0),
    (50, 20, 0.0),
    (20, 50, 0.005),
    (20, 50, 0.02),
)
"""Megabits per second, round trip in milliseconds, share of packets lost."""
SECONDS = 25.0


@dataclass(frozen=True)
class Kind:
    """A link with a name."""

    name: str
    down: LinkSettings
    up: LinkSettings


def kinds(traces: Path | None) -> Iterator[Kind]:
    """All links."""
    for mbps, rtt_ms, loss in KINDS:
        rate, delay_s = Rate.constant(mbps), rtt_ms / 2000
        down = LinkSettings(rate, delay_s, loss=loss, queue_bytes=max(65536, int(mbps * 1e6 / 8 * 0.1)))
        yield Kind(f"{mbps}/{rtt_ms}/{loss:g}", down, LinkSettings(rate, delay_s, loss=loss))
    for file in sorted(traces.iterdir()) if traces else ():
        yield Kind(file.stem, LinkSettings(read_rate(file), 0.025), LinkSettings(None, 0.025))


def open_scene(file: Path | None) -> Container:
    """The file's, or that of a generated interior."""
    if file is not None:
        return open_container(file.read_bytes())
    interior = generate_interior(seed=11, count=300_000)
    config = EncodeConfig(ratio=20.0, views=32)
    return open_container(encode(interior, config, rasterizer=choose_rasterizer("auto")).data)


def line(scene: Container, path: HeadPath, kind: Kind) -> str:
    """What came of one link."""
    played = play_virtual(Trial(scene, path, down=kind.down, up=kind.up, seconds=SECONDS, fps=30.0))
    first_s, last_s = played.first_frame_s, played.complete_s
    if first_s is None or last_s is None:
        return f"{kind.name:28} not complete within {SECONDS:g} s"
    rate = len(scene.data) * 8e-6 / (last_s - first_s)
    return f"{kind.name:28} first {first_s:5.2f} s   last {last_s:6.2f} s   {rate:6.2f} Mbit/s"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scene", nargs="?", type=Path)
    parser.add_argument("--only", default="", help="links whose name holds this")
    parser.add_argument("--traces", type=Path, help="folder of recorded rates")
    args = parser.parse_args()
    scene = open_scene(args.scene)
    path = synthetic_head_trace(seconds=30, seed=0).retarget(decode(scene.data), start=scene.header.start)
    print(f"{len(scene.data):,} bytes, {len(scene.manifest)} chunks")
    for kind in kinds(args.traces):
        if args.only in kind.name:
            print(line(scene, path, kind), flush=True)


if __name__ == "__main__":
    main()

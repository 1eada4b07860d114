"""Rate and distortion of this codec beside its peers, in one run.

    python -m benchmarks.codec.run [SCENE ...] [--ratios 20,50,107,200,500] [--jobs N] [--document FILE]

SCENE is a scene of ../shared, ``interior`` (generated here), or any scene file; without any, all there are.
At each byte budget, the float32 size of the scene over the ratio, every system that can be told a size makes
a file; then the formats that keep every Gaussian make theirs, and our encoder meets their bytes and their
PSNR. Rows go to OUT/rows.jsonl as they come, and what is there, or in kept.jsonl beside this file, is not
measured again. Tables, plots and pictures are made of all rows of the scenes that have any of ours;
--document puts the tables between their marks in a Markdown file.

Peers: ``npm install --prefix OUT @playcanvas/splat-transform@2.7.1`` and ``pip install sogpy``; where one is
absent, its rows say so.
"""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.codec.measure import Bench
from benchmarks.codec.processes import CommandError
from benchmarks.codec.publish import publish
from benchmarks.codec.rows import KEPT, Rows
from benchmarks.codec.scenes import names
from benchmarks.codec.systems import OURS, SYSTEMS, Tools


def main() -> None:
    args = _arguments()
    unknown = [name for name in args.scenes if name not in names() and not Path(name).is_file()]
    if unknown:
        sys.exit(f"unknown scene {unknown[0]!r}: expected a file, or one of {', '.join(names())}")
    scenes, ratios = args.scenes or names(), [float(word) for word in args.ratios.split(",")]
    bench = Bench(
        args.out,
        Rows(args.out / "rows.jsonl", forget=args.again, kept=KEPT),
        _tools(args),
        min(args.jobs, len(scenes)),
    )
    if not args.tables_only:
        try:
            _measure(bench, scenes, ratios, high_rate=not args.no_high_rate)
        except CommandError as error:
            sys.exit(f"the encoder does not run: {error}")
    ours = {row.scene for row in bench.rows if row.system == OURS}
    publish([row for row in bench.rows if row.scene in ours], args.out, args.document, args.figures)
    if any(row.note.startswith("failed") for row in bench.rows):
        sys.exit("some measurements failed: their rows say why, and the next run tries them again")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=f"{', '.join(names())}, or a file")
    parser.add_argument("--ratios", default="20,50,107,200,500")
    parser.add_argument("--no-high-rate", action="store_true", help="leave out what keeps every Gaussian")
    parser.add_argument("--jobs", type=int, default=1, help="scenes measured at once (1: times are true)")
    parser.add_argument(
        "--again", action="append", default=[], choices=SYSTEMS, metavar="SYSTEM",
        help=f"measure a system again, such as {OURS} after a change",
    )  # fmt: skip
    parser.add_argument("--splat-transform", metavar="PATH", help="where it is, if not on the PATH")
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--document", type=Path, help="Markdown file that has marks for the tables")
    parser.add_argument("--figures", type=Path, help="folder for plots and pictures (OUT/figures)")
    parser.add_argument("--tables-only", action="store_true", help="measure nothing")
    return parser.parse_args()


def _tools(args: argparse.Namespace) -> Tools:
    beside = args.out / "node_modules" / ".bin" / "splat-transform"
    return Tools(args.splat_transform or (str(beside.resolve()) if beside.exists() else None))


def _measure(bench: Bench, scenes: list[str], ratios: list[float], *, high_rate: bool) -> None:
    bench.warm()

    def one(name: str) -> None:
        scene = bench.scene(name)
        for ratio in ratios:
            bench.at_equal_bytes(scene, ratio)
        if high_rate:
            bench.near_lossless(scene)

    with ThreadPoolExecutor(bench.jobs) as pool:
        for done in [pool.submit(one, name) for name in scenes]:
            done.result()


if __name__ == "__main__":
    main()

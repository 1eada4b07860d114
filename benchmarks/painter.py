"""What restoring is worth on scenes that the network never saw, how long it takes, and what of it matters.

    python -m benchmarks.painter [--weights tiny small] [--out bench-out] [--document docs/painter.md]
    python -m benchmarks.painter --ablate PAIRS [--minutes 5] [--document docs/painter.md]

The first form judges weights with ``exgs painter evaluate`` on st-peter, guitar, skull and flowers from
../shared (where it is) and two generated interiors, writes pictures side by side (source | decoded | restored
| mask) and times a picture of 640 x 360. The second trains each variant from nothing for as many minutes of
one processor, and compares them on the views that are held back from training.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from exgs.painter.onnx_network import OnnxNetwork
from exgs.painter.planes import PLANES
from exgs.painter.shelf import open_weights, shipped

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
HELD_OUT = ("st-peter.sog", "guitar.compressed.ply", "skull.sog", "flowers/lod-meta.json@2")
INTERIORS = (101, 102)
SIZE, TRIALS, THREADS = (368, 640), 30, 2
"""Height and width of the planes of a picture of 640 x 360."""
PAGE_PX = 1600
"""Width of the pictures in the document."""
SCORES, ABLATION = "scores", "ablation"
"""What the parts of the document are called that are written here."""


def main() -> None:
    """Prints a table; writes it into the document where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", nargs="+", default=list(shipped()))
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--encodings", type=Path)
    parser.add_argument("--splat-transform", metavar="PATH")
    parser.add_argument("--document", type=Path)
    parser.add_argument("--picture", type=Path, metavar="OUT.jpg")
    parser.add_argument("--ablate", type=Path, metavar="PAIRS")
    parser.add_argument("--minutes", type=float, default=5.0)
    args = parser.parse_args()
    if args.ablate:
        from benchmarks.painter_ablation import ablation

        table, part = [], ABLATION
        for line in ablation(args.ablate, args.minutes):
            print(line, flush=True)
            table.append(line)
    else:
        table, part = list(scored(args)), SCORES
        print("\n".join(table))
    if args.document:
        write_between(args.document, part, table)


def scored(args: argparse.Namespace) -> Iterator[str]:
    """A table for each of the weights, and the page of pictures of the last of them."""
    for name in args.weights:
        report = evaluated(args, name)
        manifest = open_weights(name).manifest
        bound = f"closed from {manifest.gate.splats_per_pixel:g} splats per pixel on"
        yield f"`{manifest.name}`, gates as calibrated ({bound}), {args.views} views of each scene:"
        yield ""
        yield from rows(report["kinds"])
        yield ""
        yield latency(name)
        yield ""
    if args.picture:
        shrink(args.out / "painter.png", args.picture)


def evaluated(args: argparse.Namespace, name: str) -> dict[str, Any]:
    """The report of ``exgs painter evaluate``, which is kept beside its sheet of pictures."""
    args.out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "exgs", "painter", "evaluate", name, "--json", "-w",
               "--sheet", str(args.out / "painter.png"), "--views", str(args.views),
               "--generated", *map(str, INTERIORS)]  # fmt: skip
    if (DATA / "scenes").is_dir():
        command += ["--scenes", *(str(DATA / "scenes" / name) for name in HELD_OUT)]
        command += ["--cameras", str(DATA / "cameras")]
    command += ["--encodings", str(args.encodings or args.out / "encodings")]
    if args.splat_transform:
        command += ["--splat-transform", args.splat_transform]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    (args.out / f"painter-{Path(name).name}.json").write_text(done.stdout)
    return dict(json.loads(done.stdout))


def rows(kinds: dict[str, Any]) -> Iterator[str]:
    """A table of the gains."""
    yield "| scenes | input | PSNR dB | restored | SSIM | restored | FLIP | restored | change |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for kind, gains in kinds.items():
        for damage, g in gains.items():
            percent = 100 * (g["flip_after"] / max(g["flip_before"], 1e-9) - 1)
            change = "" if g["flip_before"] < 1e-6 else f"{percent:+.1f} %"
            cells = [f"{kind}s", damage]
            for name, digits in (("psnr", 2), ("ssim", 4), ("flip", 4)):
                cells += [f"{g[f'{name}_{when}']:.{digits}f}" for when in ("before", "after")]
            yield f"| {' | '.join([*cells, change])} |"


def shrink(sheet: Path, target: Path) -> None:
    """The sheet at a size for a page."""
    with Image.open(sheet) as picture:
        height = round(picture.height * PAGE_PX / picture.width)
        picture.resize((PAGE_PX, height), Image.Resampling.LANCZOS).save(target, quality=88)


def latency(name: str) -> str:
    """Milliseconds of the network for a picture, the median and the quickest of some."""
    network = OnnxNetwork(open_weights(name).read("onnx"), threads=THREADS)
    planes = np.random.default_rng(0).random((1, len(PLANES), *SIZE), np.float32)
    spent = []
    for _ in range(TRIALS):
        begin = time.perf_counter()
        network.run(planes)
        spent.append(1e3 * (time.perf_counter() - begin))
    return (
        f"One picture of 640 x 360, onnxruntime on {THREADS} cores: {np.median(spent):.1f} ms (median of "
        f"{TRIALS}), {min(spent):.1f} ms at best."
    )


def write_between(document: Path, part: str, lines: list[str]) -> None:
    """Puts ``lines`` between the marks of a part of the document."""
    begin, end = f"<!-- {part}: begin -->", f"<!-- {part}: end -->"
    text = document.read_text(encoding="utf-8")
    head, found, rest = text.partition(begin)
    _, closed, tail = rest.partition(end)
    if not (found and closed):
        raise SystemExit(f"{document}: there is no {begin} ... {end}")
    document.write_text("\n".join([f"{head}{begin}", "", *lines, "", f"{end}{tail}"]), encoding="utf-8")


if __name__ == "__main__":
    main()

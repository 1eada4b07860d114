"""What restoring is worth on scenes that the network never saw, how long it takes, and what of it matters.

    python -m benchmarks.painter [--weights tiny] [--out bench-out] [--document docs/painter.md]
    python -m benchmarks.painter --ablate PAIRS --minutes 10

The first form judges shipped weights with ``exgs painter evaluate`` on st-peter, skull and guitar from
../shared (where it is) and two generated interiors, writes pictures side by side (source | decoded | restored
| mask) and times a picture of 640 x 360. The second trains each variant of ``tiny`` for as long, and compares
them on the views that are held back from training.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from exgs.painter.onnx_network import OnnxNetwork
from exgs.painter.shelf import open_weights

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
HELD_OUT = ("st-peter.sog", "skull.sog", "guitar.compressed.ply")
INTERIORS = (101, 102)
SIZE, TRIALS, THREADS = (368, 640), 30, 2
"""Height and width of the planes of a picture of 640 x 360."""
PAGE_PX = 1600
"""Width of the pictures in the document."""
BEGIN, END = "<!-- scores: begin -->", "<!-- scores: end -->"


def main() -> None:
    """Prints a table; writes it into the document where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="tiny")
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--encodings", type=Path)
    parser.add_argument("--splat-transform", metavar="PATH")
    parser.add_argument("--document", type=Path)
    parser.add_argument("--picture", type=Path, metavar="OUT.jpg")
    parser.add_argument("--ablate", type=Path, metavar="PAIRS")
    parser.add_argument("--minutes", type=float, default=10.0)
    args = parser.parse_args()
    if args.ablate:
        for line in ablation(args.ablate, args.minutes):
            print(line, flush=True)
        return
    report = evaluated(args)
    table = [*rows(report["kinds"]), "", latency(args.weights)]
    print("\n".join(table))
    if args.picture:
        shrink(args.out / "painter.png", args.picture)
    if args.document:
        write_between(args.document, table)


def evaluated(args: argparse.Namespace) -> dict[str, Any]:
    """The report of ``exgs painter evaluate``, which is kept beside its sheet of pictures."""
    args.out.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "exgs", "painter", "evaluate", args.weights, "--json", "-w",
               "--sheet", str(args.out / "painter.png"), "--views", str(args.views),
               "--generated", *map(str, INTERIORS)]  # fmt: skip
    if (DATA / "scenes").is_dir():
        command += ["--scenes", *(str(DATA / "scenes" / name) for name in HELD_OUT)]
        command += ["--cameras", str(DATA / "cameras")]
    command += ["--encodings", str(args.encodings or args.out / "encodings")]
    if args.splat_transform:
        command += ["--splat-transform", args.splat_transform]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    (args.out / "painter.json").write_text(done.stdout)
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
    planes = np.random.default_rng(0).random((1, 6, *SIZE), np.float32)
    spent = []
    for _ in range(TRIALS):
        begin = time.perf_counter()
        network.run(planes)
        spent.append(1e3 * (time.perf_counter() - begin))
    return (
        f"{name}, 640 x 360, onnxruntime on {THREADS} cores: {np.median(spent):.1f} ms (median of {TRIALS}), "
        f"{min(spent):.1f} ms at best."
    )


def ablation(folder: Path, minutes: float) -> Iterator[str]:
    """One line for each variant of ``tiny``."""
    import torch

    from exgs.painter.crops import Crops
    from exgs.painter.networks import ARCHITECTURES
    from exgs.painter.shards import read_pairs
    from exgs.painter.training import Training, TrainSettings
    from exgs.painter.validation import validate

    torch.set_num_threads(1)
    pairs = read_pairs(folder)
    for name in ("as shipped", "no mask", "no disparity", "no rate", "squared error only"):
        settings = TrainSettings(ARCHITECTURES["tiny"])
        if name == "squared error only":
            settings = replace(settings, losses=replace(settings.losses, flip=0.0))
        hidden = {"no mask": 3, "no disparity": 4, "no rate": 5}.get(name)
        training = Training(settings, Crops(pairs, size_px=settings.size_px))
        for network in (training.network, training.average):
            if hidden is not None:
                network.register_forward_pre_hook(hiding(hidden))
        begin = time.monotonic()
        while (share := (time.monotonic() - begin) / (60 * minutes)) < 1:
            training.advance(share)
        gains = list(validate(training.average, pairs).items())
        for kind in ("interior exgs", "interior ugc", "object exgs", "object ugc"):
            found = [gain for damage, gain in gains if damage.startswith(kind)]
            psnr, flip = (np.mean([getattr(gain, field) for gain in found]) for field in ("psnr", "flip"))
            yield f"| {name} | {training.step} | {kind} | {psnr:+.2f} | {-100 * flip:+.1f} % |"


def hiding(plane: int) -> Any:
    """What makes a network see the same value everywhere in a plane."""

    def hide(network: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
        planes = inputs[0].clone()
        planes[:, plane] = 0.5
        return (planes,)

    return hide


def write_between(document: Path, lines: list[str]) -> None:
    """Puts ``lines`` between the marks of the document."""
    text = document.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    document.write_text("\n".join([f"{head}{BEGIN}", "", *lines, "", f"{END}{tail}"]), encoding="utf-8")


if __name__ == "__main__":
    main()

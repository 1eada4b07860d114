"""What restoring is worth on scenes that the network never saw, how long it takes, and what of it matters.

    python -m benchmarks.painter [--weights tiny small] [--out bench-out] [--document docs/painter.md]
    python -m benchmarks.painter --ablate PAIRS [--minutes 5] [--document docs/painter.md]

The first form judges weights on two generated interiors, a generated garden and, from ../shared (where it
is), on st-peter, guitar, skull and flowers: files as ``exgs encode`` makes them by itself, and what
splat-transform decimates. It writes pictures side by side (source | decoded | restored | mask), and with
``--latency`` times one of 640 x 360. What was judged is kept in OUT (painter_judging.py). The second trains
each variant from nothing for as many minutes of one processor, and compares them on the views that are held
back from training.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.garden import generate_garden
from benchmarks.painter_judging import Candidate, Desk, HeldOut, Verdict, judged, row_of_pictures
from exgs.cli.painter_make_pairs import INTERIOR_SPLATS
from exgs.cli.scenes import scenes
from exgs.codec import AnalysisCache
from exgs.painter.damage import encoder
from exgs.painter.gate import DOUBT, Gate
from exgs.painter.onnx_network import open_network
from exgs.painter.planes import PLANES
from exgs.painter.shelf import open_weights, shipped
from exgs.raster import choose_rasterizer
from exgs.scene import Camera, Gaussians, read_cameras, sample_views
from exgs.training.layout import kind_of

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
OBJECTS = ("st-peter.sog", "guitar.compressed.ply", "skull.sog", "flowers/lod-meta.json@2")
INTERIORS, GARDENS = (101, 102, 103, 104, 105), (4,)
GARDEN_SPLATS = 70_000
DAMAGES = ("ugc-107", "ugc-200", "ugc-20", "ugc-107@0.3", "exgs-107", "exgs-200")
DECIMATED = ("decimate-2%", "decimate-5%")
"""What the foreign program leaves."""
SAMPLED, SEED, VIEW_PX = 24, 777, (640, 360)
"""Views of scenes without a file of cameras."""
ON_PAGE = (
    ("st-peter", "exgs-107"), ("interior-101", "exgs-107"), ("interior-101", "ugc-200"),
    ("interior-102", "exgs-107"), ("interior-102", "ugc-107"), ("interior-102", "decimate-2%"),
)  # fmt: skip
"""Rows of pictures, as the first of the weights restores them."""
SIZE, TRIALS, THREADS = (368, 640), 30, 2
"""Height and width of the planes of a picture of 640 x 360."""
PAGE_PX = 1600
"""Width of the pictures in the document."""
ORDER = ("interior", "garden", "object")
"""Of the kinds of scenes."""
SCORES, ABLATION = "scores", "ablation"
"""What the parts of the document are called that are written here."""


def main() -> None:
    """Prints a table; writes it into the document where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", nargs="+", default=list(shipped()))
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--generated", nargs="*", type=int, default=list(INTERIORS), metavar="SEED")
    parser.add_argument("--gardens", nargs="*", type=int, default=list(GARDENS), metavar="SEED")
    parser.add_argument("--objects", nargs="*", default=list(OBJECTS), metavar="FILE")
    parser.add_argument("--views", type=int, default=8, help="of each interior and garden")
    parser.add_argument("--object-views", type=int, default=4)
    parser.add_argument("--damages", nargs="+", default=list(DAMAGES))
    parser.add_argument("--encodings", type=Path)
    parser.add_argument("--splat-transform", metavar="PATH")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--latency", action="store_true", help="on an idle machine")
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
    """A table for each of the weights; pictures of the first of them."""
    damages = [*args.damages, *(DECIMATED if args.splat_transform else ())]
    found = dict(judgements(args, damages))
    for name in args.weights:
        manifest = open_weights(name).manifest
        yield f"`{manifest.name}`, gates as calibrated ({told(manifest.gate)}):"
        yield ""
        yield from rows({s: {d: v[name] for d, v in verdicts.items()} for s, verdicts in found.items()})
        yield ""
        if args.latency:
            yield latency(name)
            yield ""


def told(gate: Gate) -> str:
    """From where on pictures are left alone."""
    bounds = [f"closed from {gate.splats_per_pixel:g} splats per pixel on"]
    bounds += [f"opening from {gate.holes / 2:g} to {gate.holes:g} of holes"] if gate.holes else []
    sure = gate.confidence
    bounds += [f"and from a confidence of {sure - DOUBT:g} to {sure:g}"] if sure else []
    return ", ".join(bounds)


def judgements(
    args: argparse.Namespace, damages: Sequence[str]
) -> Iterator[tuple[str, dict[str, dict[str, Verdict]]]]:
    """Every scene's verdicts, by damage and weights; draws the page of pictures at the end."""
    rasterizer = choose_rasterizer("auto", threads=args.threads)
    pictures = {}
    with tempfile.TemporaryDirectory(prefix="exgs-") as folder:
        make = encoder(
            rasterizer,
            keep=args.encodings or args.out / "encodings",
            cache=AnalysisCache(Path(folder), warn=print),
        )
        candidates = [Candidate.named(name, args.threads) for name in args.weights]
        desk = Desk(args.out / "painter", candidates, rasterizer, make, args.splat_transform)
        for scene in held_out(args):
            yield scene.name, judged(desk, scene, damages)
            pictures |= {(scene.name, damage): row_of_pictures(desk, scene, damage) for damage in damages}
    if args.picture:
        shrink([pictures[row] for row in ON_PAGE if row in pictures], args.picture)


def held_out(args: argparse.Namespace) -> Iterator[HeldOut]:
    """The scenes to judge by: rooms first, which is where most is to be gained or lost."""
    here = args.objects if (DATA / "scenes").is_dir() else []
    paths = [str(DATA / "scenes" / name) for name in here]
    found = scenes(paths, args.generated, INTERIOR_SPLATS) if paths or args.generated else []
    found += [
        (f"garden-{seed}", partial(generate_garden, seed=seed, count=GARDEN_SPLATS)) for seed in args.gardens
    ]
    for name, load in sorted(found, key=lambda scene: ORDER.index(group_of(scene[0]))):
        views = args.object_views if group_of(name) == "object" else args.views
        yield HeldOut(name, load, partial(cameras_of, name, views), views)


def group_of(scene: str) -> str:
    """What a scene is counted to in the table, by what it is called."""
    return "garden" if scene.startswith("garden-") else kind_of(scene)


def cameras_of(name: str, views: int, gaussians: Gaussians) -> list[Camera]:
    """``views`` of a scene, spread over its cameras: those of ../shared, or sampled ones."""
    path = DATA / "cameras" / f"{name}.json"
    known = path.is_file()
    cameras = read_cameras(path) if known else sample_views(gaussians, SAMPLED, seed=SEED, size=VIEW_PX)
    return list(cameras[:: max(1, len(cameras) // views)][:views])


def rows(found: Mapping[str, Mapping[str, Verdict]]) -> Iterator[str]:
    """A table by kind of scene and damage: means over scenes, which count the same, and the decibels that the
    picture faring worst gains."""
    yield "| scenes | input | PSNR dB | restored | worst | SSIM | restored | FLIP | restored | change |"
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for kind in dict.fromkeys(group_of(scene) for scene in found):
        of_kind = [verdicts for scene, verdicts in found.items() if group_of(scene) == kind]
        for damage in dict.fromkeys(damage for verdicts in of_kind for damage in verdicts):
            verdicts = [known[damage] for known in of_kind if damage in known]
            before, after = (
                np.mean([pictures.mean(axis=0) for pictures in side], axis=0)
                for side in ([v.before for v in verdicts], [v.after for v in verdicts])
            )
            worst = min(float((v.after - v.before)[:, 0].min()) for v in verdicts)
            cells = [f"{before[0]:.2f}", f"{after[0]:.2f}", f"{worst:+.2f}"]
            cells += [f"{side[measure]:.4f}" for measure in (1, 2) for side in (before, after)]
            cells.append(f"{100 * (after[2] / max(before[2], 1e-9) - 1):+.1f} %")
            yield f"| {kind}s | {damage} | {' | '.join(cells)} |"


def shrink(sheets: Path | Sequence[Path], target: Path) -> None:
    """Sheets, one below the other, at a size for a page."""
    found = [Image.open(path) for path in ([sheets] if isinstance(sheets, Path) else sheets)]
    heights = [round(sheet.height * PAGE_PX / sheet.width) for sheet in found]
    page, top = Image.new("RGB", (PAGE_PX, sum(heights))), 0
    for sheet, height in zip(found, heights, strict=True):
        with sheet:
            page.paste(sheet.convert("RGB").resize((PAGE_PX, height), Image.Resampling.LANCZOS), (0, top))
        top += height
    page.save(target, quality=88)


def latency(name: str) -> str:
    """Milliseconds of the network for a picture, the median and the quickest of some."""
    network = open_network(open_weights(name), threads=THREADS)
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

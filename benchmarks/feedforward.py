"""What reconstruction from pictures is worth on scenes never seen, what it takes, what the codec then loses.

    python -m benchmarks.feedforward [--weights small] [--out bench-out] [--document docs/feedforward.md]

Scores come from ``exgs feedforward evaluate``: 6 to 36 views of one stretch of each scene, with ZPressor and
without it. Peak memory is that of a process of its own for each case, less what it took before it
reconstructed. The codec is given what came of 24 views, once alone and once with these views as the
photographs to fit to, and judged by the true pictures between them.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.painter import shrink, write_between
from exgs.cli.arguments import picture_size
from exgs.cli.terminal import peak_memory_bytes, reset_peak_memory, size
from exgs.codec import EncodeConfig, Photographs, decode, encode
from exgs.feedforward.anchors import MOST
from exgs.feedforward.choose import load_network, open_weights
from exgs.feedforward.rendered import read_set
from exgs.feedforward.sets import ViewSet, write_view_set
from exgs.feedforward.views import Views
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.raster.quality import psnr
from exgs.scene import Camera, Gaussians, generate_interior, read_scene
from exgs.weights.tensors import require_torch

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
HELD_OUT = ("st-peter.sog", "guitar.compressed.ply", "skull.sog", "flowers/lod-meta.json")
INTERIORS = (101, 102, 103, 104)
SPLATS = 110_000
"""Of the interiors that memory and codec are measured on."""
ANCHORS, CODED_VIEWS, RATIOS = 6, 24, (5.0, 10.0, 20.0)
MANY, LARGE = 100, ((214, 120), (428, 240), (854, 480))
"""Very many views, and growing sizes; the last is what has to fit into memory."""
SCORES, MEMORY = "feedforward-scores.json", "feedforward-memory.json"
LABELS = {"with": f"with ZPressor, {ANCHORS} anchors", "without": "without"}


def main() -> None:
    """Prints tables; writes them into the document, and plot and pictures, where these are named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="small")
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--parts", nargs="*", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--scenes", nargs="*", default=list(HELD_OUT))
    parser.add_argument("--generated", nargs="*", type=int, default=list(INTERIORS))
    parser.add_argument("--targets", type=int, default=8)
    parser.add_argument("--ratios", nargs="*", type=float, default=list(RATIOS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--large", nargs="*", type=picture_size, default=list(LARGE), metavar="WxH")
    parser.add_argument("--document", type=Path)
    parser.add_argument("--plot", type=Path, metavar="OUT.png")
    parser.add_argument("--picture", type=Path, metavar="OUT.jpg")
    parser.add_argument("--case", type=Path, metavar="VIEWS.npz", help=argparse.SUPPRESS)
    parser.add_argument("--anchors", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    require_torch(SystemExit)  # what needs it is imported where it is used: --help works without
    if args.case:
        print(json.dumps(case(args)))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    for name in args.parts:
        lines = list(PARTS[name](args))
        print("\n".join(lines), flush=True)
        (args.out / f"feedforward-{name}.txt").write_text("\n".join(lines))
    if args.document:
        write_between(args.document, "scores", together(args.out))
    if args.plot:
        from benchmarks.feedforward_plot import plot

        plot(args.plot, *(json.loads((args.out / name).read_text()) for name in (SCORES, MEMORY)))
    if args.picture:
        shrink(args.out / "feedforward.png", args.picture)


def together(folder: Path) -> list[str]:
    """The tables of all parts that were measured, now or before."""
    found = [folder / f"feedforward-{name}.txt" for name in PARTS]
    return "\n\n".join(path.read_text() for path in found if path.exists()).split("\n")


def scores(args: argparse.Namespace) -> Iterator[str]:
    """What more views are worth, with ZPressor and without it."""
    yield from rows(evaluated(args)["kinds"])


def evaluated(args: argparse.Namespace) -> dict[str, Any]:
    """The report of ``exgs feedforward evaluate``, which is kept beside its sheet of pictures."""
    command = [sys.executable, "-m", "exgs", "feedforward", "evaluate", args.weights, "--json", "-w",
               "--sheet", str(args.out / "feedforward.png"), "--targets", str(args.targets),
               "--threads", str(args.threads), "--anchors", str(ANCHORS)]  # fmt: skip
    command += ["--generated", *map(str, args.generated)] if args.generated else []
    if args.scenes and (DATA / "scenes").is_dir():
        command += ["--scenes", *(str(DATA / "scenes" / name) for name in args.scenes)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report = dict(json.loads(done.stdout))
    (args.out / SCORES).write_text(json.dumps(report["kinds"]))
    (args.out / "feedforward.json").write_text(done.stdout)
    return report


def rows(kinds: dict[str, Any]) -> Iterator[str]:
    """The table of scores."""
    yield "| scenes | views | | go on | PSNR dB | SSIM | Gaussians | seconds |"
    yield "|---|---|---|---|---|---|---|---|"
    for kind, cases in kinds.items():
        for at in range(len(cases["with"])):
            for name in LABELS:
                score = cases[name][at]
                yield (
                    f"| {kind}s | {score['views']} | {name} | {score['anchors']} | {score['psnr']:.2f} | "
                    f"{score['ssim']:.3f} | {score['gaussians']:,} | {score['seconds']:.1f} |"
                )


def memory(args: argparse.Namespace) -> Iterator[str]:
    """What each number of views takes."""
    from exgs.feedforward.evaluation import COUNTS

    found = []
    for count in COUNTS:
        path = interior(args.out, count, (224, 128))
        for name, anchors in (("with", ANCHORS), ("without", None)):
            found.append({"case": name, "views": count, **alone(args, path, anchors)})
    (args.out / MEMORY).write_text(json.dumps(found))
    yield from memory_rows(found)


def interior(folder: Path, count: int, pixels: tuple[int, int]) -> Path:
    """A file with so many views of a stretch through an interior, at that size."""
    from exgs.feedforward.evaluation import WalkSettings, walk_through

    scene = generate_interior(seed=INTERIORS[0], count=SPLATS)
    settings = WalkSettings(targets=1, size=pixels)
    walk = walk_through(scene, settings, rasterizer=choose_rasterizer("cpu"))
    return keep(folder, f"views-{count}-{pixels[0]}", walk.context(count))


def alone(args: argparse.Namespace, path: Path, anchors: int | None) -> dict[str, Any]:
    """One reconstruction of the views in a file, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.feedforward", "--case", str(path), "--weights", args.weights]
    command += ["--threads", str(args.threads), *(["--anchors", str(anchors)] if anchors else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    return dict(json.loads(done.stdout))


def case(args: argparse.Namespace) -> dict[str, Any]:
    """Reconstructs once and says what it took beyond what the program takes anyway."""
    import torch

    from exgs.feedforward.reconstructing import reconstruct

    torch.set_num_threads(args.threads)
    network, views = load_network(open_weights(args.weights)), read_set(args.case)
    reset_peak_memory()
    before = peak_memory_bytes()
    made = reconstruct(
        views, network, rasterizer=choose_rasterizer("cpu"), anchors=args.anchors, clock=time.perf_counter
    )
    took = peak_memory_bytes() - before
    facts = {"bytes": took, "tensors": made.peak_bytes, "before": before}
    return facts | {"seconds": made.seconds, "gaussians": len(made.gaussians)}


def memory_rows(memory: Sequence[dict[str, Any]]) -> Iterator[str]:
    """The table of memory."""
    yield "| views of an interior, 224 x 128 | memory with ZPressor | without | Gaussians with | without |"
    yield "|---|---|---|---|---|"
    for one, other in zip(memory[::2], memory[1::2], strict=True):
        yield (
            f"| {one['views']} | {size(one['bytes'])} | {size(other['bytes'])} | "
            f"{one['gaussians']:,} | {other['gaussians']:,} |"
        )


def large(args: argparse.Namespace) -> Iterator[str]:
    """Memory of very many views at growing sizes: of the process, of tensors, and as foretold."""
    from exgs.feedforward.memory import foretold_bytes

    network = load_network(open_weights(args.weights))
    yield f"| {MANY} views, {ANCHORS} anchors | memory | of it tensors | foretold | seconds |"
    yield "|---|---|---|---|---|"
    for width, height in args.large:
        row = alone(args, interior(args.out, MANY, (width, height)), ANCHORS)
        told = foretold_bytes(network, (width, height), views=MANY, anchors=ANCHORS)
        yield (
            f"| {width} x {height} | {size(row['bytes'])} | {size(row['tensors'])} | {size(told)} | "
            f"{row['seconds']:.0f} |"
        )
    told = foretold_bytes(network, LARGE[-1], views=MANY, anchors=MOST)
    yield f"| {LARGE[-1][0]} x {LARGE[-1][1]}, {MOST} anchors | | | {size(told)} | |"


def coded(args: argparse.Namespace) -> Iterator[str]:
    """What the codec makes of a reconstruction, by true pictures from between its views."""
    from exgs.feedforward.evaluation import WalkSettings, walk_through
    from exgs.feedforward.reconstructing import reconstruct

    network, rasterizer = load_network(open_weights(args.weights)), choose_rasterizer("cpu")
    heads = [f"{ratio:g} times smaller" for ratio in args.ratios]
    yield f"| from {CODED_VIEWS} views, {ANCHORS} anchors | fitted to | uncompressed | {' | '.join(heads)} |"
    yield "|---" * (3 + len(heads)) + "|"
    for name, load in coded_scenes(args):
        walk = walk_through(load(), WalkSettings(targets=args.targets), rasterizer=rasterizer)
        views = walk.context(CODED_VIEWS)
        made = reconstruct(views, network, rasterizer=rasterizer, anchors=ANCHORS).gaussians
        before = judged(made, walk.targets, walk.truth, rasterizer)
        ways = {"itself": None, "its photographs": Photographs(views.cameras, views.pictures)}
        for way, cameras in ways.items():
            cells = [name, way, f"{before:.2f} dB"]
            for ratio in args.ratios:
                config = EncodeConfig(ratio=ratio)
                data = encode(made, config, rasterizer=rasterizer, cameras=cameras).data
                after = judged(decode(data), walk.targets, walk.truth, rasterizer)
                cells.append(coded_cell(before, after, len(data)))
            yield f"| {' | '.join(cells)} |"


def coded_cell(before: float, after: float, size_bytes: int) -> str:
    """What became of a reconstruction of ``before`` dB."""
    return f"{after:.2f} dB ({after - before:+.2f}), {size(size_bytes)}"


def coded_scenes(args: argparse.Namespace) -> Iterator[tuple[str, Callable[[], Gaussians]]]:
    """The first of the interiors, and the first of the objects."""
    if args.generated:
        seed = args.generated[0]
        yield f"interior-{seed}", partial(generate_interior, seed=seed, count=SPLATS)
    if args.scenes and (DATA / "scenes").is_dir():
        path = DATA / "scenes" / args.scenes[0]
        yield path.name.partition(".")[0], partial(read_scene, path)


def judged(
    gaussians: Gaussians, cameras: Sequence[Camera], truth: np.ndarray, rasterizer: Rasterizer
) -> float:
    """Mean PSNR in dB against the true pictures [T,H,W,3]."""
    seen = (rasterizer.render(gaussians, [camera]).color[0] for camera in cameras)
    return float(np.mean([psnr(one, other) for one, other in zip(truth, seen, strict=True)]))


def keep(folder: Path, name: str, views: Views) -> Path:
    """Writes views for a process of its own; what is not known of depths is not asked for."""
    count, height, width = views.pictures.shape[:3]
    depths, walk = np.zeros((count, height, width), np.float16), np.zeros(count, np.int32)
    found = ViewSet(name, views.pictures, depths, walk, views.cameras, views.near, views.far, views.frame)
    return write_view_set(folder, found)


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[str]]] = {
    "scores": scores,
    "memory": memory,
    "large": large,
    "codec": coded,
}
"""What is measured, each into a table of its own."""


if __name__ == "__main__":
    main()

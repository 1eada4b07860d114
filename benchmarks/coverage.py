"""What ``--anchors auto`` takes and what that is worth: along one stretch, and all around a room.

    python -m benchmarks.coverage [--weights small] [--out bench-out] [--document docs/feedforward.md]

The scenes are those that no training saw, as in ``benchmarks.feedforward``. A stretch is 1.6 m of a room or
72 degrees around an object; a loop is what ``exgs render --orbit`` walks, closed. Judged by views between
those that were given. *Empty* is the share of the views given that stays empty, on average and of the worst.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.feedforward import DATA, HELD_OUT, INTERIORS, SPLATS
from benchmarks.painter import write_between
from exgs.feedforward.choose import load_network, open_weights
from exgs.feedforward.sets import depth_range, look
from exgs.feedforward.views import Views
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.raster.quality import psnr
from exgs.scene import Gaussians, generate_interior, orbit, read_scene
from exgs.training.layout import kind_of
from exgs.weights.tensors import require_torch

if TYPE_CHECKING:  # what needs torch is imported where it is used: --help works without
    from exgs.feedforward.evaluation import Walk
    from exgs.feedforward.network import Reconstructor
    from exgs.feedforward.reconstructing import AnchorChoice

LOOPS = (24, 96)
"""Views of a loop."""
JUDGES = 24
"""Views between them, at most."""
WAYS: tuple[AnchorChoice, ...] = (6, "auto", None)
FOUND = "coverage.json"


@dataclass(frozen=True)
class Place:
    """A way through one scene, from which views are taken."""

    name: str
    kind: str
    counts: tuple[int, ...]
    walk: Callable[[int], Walk]
    """The walk of so many views."""


def main() -> None:
    """Prints the table; writes it into the document where one is named."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", default="small")
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--scenes", nargs="*", default=list(HELD_OUT))
    parser.add_argument("--generated", nargs="*", type=int, default=list(INTERIORS))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--document", type=Path)
    args = parser.parse_args()
    require_torch(SystemExit)
    import torch

    torch.set_num_threads(args.threads)
    network, rasterizer = load_network(open_weights(args.weights)), choose_rasterizer("cpu")
    found = [case for place in places(args, rasterizer) for case in scored(place, network, rasterizer)]
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / FOUND).write_text(json.dumps(found))
    lines = list(rows(found))
    print("\n".join(lines))
    if args.document:
        write_between(args.document, "coverage", lines)


def places(args: argparse.Namespace, rasterizer: Rasterizer) -> Iterator[Place]:
    """Every stretch, and the loops through rooms."""
    from exgs.feedforward.evaluation import COUNTS, WalkSettings, walk_through

    interiors = [
        (f"interior-{seed}", generate_interior, {"seed": seed, "count": SPLATS}) for seed in args.generated
    ]
    paths = [DATA / "scenes" / name for name in args.scenes] if (DATA / "scenes").is_dir() else []
    objects = [(path.name, read_scene, {"path": path}) for path in paths]
    for name, load, words in [*interiors, *objects]:
        scene = load(**words)
        kind = kind_of(name)
        stretch = walk_through(scene, WalkSettings(), rasterizer=rasterizer)
        yield Place(name, f"{kind}s, a stretch", COUNTS, lambda count, walk=stretch: walk)
        if kind == "interior":
            yield Place(
                name, "interiors, a loop", LOOPS, lambda count, scene=scene: loop(scene, count, rasterizer)
            )


def loop(scene: Gaussians, count: int, rasterizer: Rasterizer) -> Walk:
    """So many views all along a loop; the judge stands between them."""
    from exgs.feedforward.evaluation import Walk, WalkSettings

    size = WalkSettings().size
    cameras = tuple(orbit(scene, count, size=size))
    pictures, depths = look(scene, cameras, rasterizer=rasterizer)
    views = Views(pictures, cameras, *depth_range(depths), scene.frame)
    between = orbit(scene, 2 * count, size=size)[1 :: 2 * max(count // JUDGES, 1)]
    truth = np.stack([rasterizer.render(scene, [camera]).color[0] for camera in between])
    return Walk(lambda _: views, tuple(between), truth)


def scored(place: Place, network: Reconstructor, rasterizer: Rasterizer) -> Iterator[dict[str, Any]]:
    """What each way is worth with each number of views."""
    from exgs.feedforward.reconstructing import reconstruct

    for count in place.counts:
        walk = place.walk(count)
        views = walk.context(count)
        for way in WAYS:
            made = reconstruct(views, network, rasterizer=rasterizer, anchors=way)
            seen = (rasterizer.render(made.gaussians, [camera]).color[0] for camera in walk.targets)
            worth = [psnr(truth, picture) for truth, picture in zip(walk.truth, seen, strict=True)]
            shares = made.coverage.shares
            yield {
                "scene": place.name, "kind": place.kind, "views": count, "way": str(way or "off"),
                "anchors": count if made.anchors is None else len(made.anchors),
                "psnr": float(np.mean(worth)), "worst": float(np.min(worth)),
                "empty": float(shares.mean()), "worst_empty": float(shares.max()),
                "gaussians": len(made.gaussians),
            }  # fmt: skip


def rows(found: list[dict[str, Any]]) -> Iterator[str]:
    """The table: means over the scenes of a kind, of what is worst the worst; the range of anchors."""
    yield "| scenes | views | `--anchors` | go on | PSNR dB | worst view | empty | worst view | Gaussians |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for kind, views, way in dict.fromkeys(
        (one["kind"], one["views"], one["way"]) for one in sorted(found, key=order)
    ):
        mine = [one for one in found if (one["kind"], one["views"], one["way"]) == (kind, views, way)]
        least, most = (pick(one["anchors"] for one in mine) for pick in (min, max))
        mean = {name: float(np.mean([one[name] for one in mine])) for name in ("psnr", "empty", "gaussians")}
        yield (
            f"| {kind} | {views} | {way} | {least if least == most else f'{least} to {most}'} | "
            f"{mean['psnr']:.2f} | {min(one['worst'] for one in mine):.2f} | {mean['empty']:.1%} | "
            f"{max(one['worst_empty'] for one in mine):.1%} | {mean['gaussians']:,.0f} |"
        )


def order(one: dict[str, Any]) -> tuple[str, int]:
    """Kind by kind, then by the number of views; ways keep their order."""
    return one["kind"], one["views"]


if __name__ == "__main__":
    main()

"""``exgs feedforward evaluate``: what weights are worth on scenes that they never saw."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np

from exgs.cli.feedforward_make_views import INTERIOR_SPLATS
from exgs.cli.paths import check_output
from exgs.cli.pictures import write_sheet
from exgs.cli.rasterising import rasterizer_for
from exgs.cli.run_folder import need
from exgs.cli.scenes import check_scenes, scenes
from exgs.cli.terminal import Reporter, size
from exgs.training.layout import kind_of

if TYPE_CHECKING:
    from exgs.feedforward.evaluation import Score

WITH, WITHOUT = "with", "without"
"""What cases are called: with ZPressor, and without it."""
COLUMNS = {"views": 6, "on": 5, "PSNR dB": 10, "SSIM": 9, "Gaussians": 12, "seconds": 9, "memory": 12}
"""The table's columns and their widths; ``on`` are the views that go on."""
Scores = dict[str, list["Score"]]
"""Of each case, by number of views."""


def run(args: argparse.Namespace) -> int:
    """Reconstructs each scene from ever more views of one stretch, and looks from between them."""
    sources = scenes(args.scenes, args.generated, INTERIOR_SPLATS)
    sheet = check_output(args.sheet, overwrite=args.overwrite, suffixes=(".png",)) if args.sheet else None
    check_scenes(args.scenes)
    need("torch", "safetensors")
    import torch

    from exgs.feedforward.choose import load_network, open_weights
    from exgs.feedforward.evaluation import WalkSettings, evaluate, walk_through

    if args.threads:
        torch.set_num_threads(args.threads)
    network = load_network(open_weights(args.weights))
    settings = WalkSettings(targets=args.targets, size=args.size, steps=args.steps)
    found: dict[str, Scores] = {}
    rows: list[list[np.ndarray]] = []
    with Reporter(quiet=args.quiet or args.json) as reporter:
        rasterizer = rasterizer_for(args.backend, reporter)
        for name, load in sources:
            with reporter.phase(name):
                walk = walk_through(load(), settings, rasterizer=rasterizer)
                found[name], middle = {}, args.targets // 2
                rows.append([walk.truth[middle]])
                for case, anchors in ((WITH, args.anchors), (WITHOUT, None)):
                    scores, last = evaluate(
                        walk,
                        network,
                        anchors,
                        counts=args.views,
                        rasterizer=rasterizer,
                        clock=time.perf_counter,
                    )
                    found[name][case] = scores
                    rows[-1].append(last[middle])
    if sheet is not None:
        write_sheet(sheet, rows)
    report = {"weights": args.weights, "kinds": as_json(by_kind(found)), "scenes": as_json(found)}
    print(json.dumps(report, indent=1) if args.json else "\n".join(lines(by_kind(found))))
    return 0


def by_kind(found: dict[str, Scores]) -> dict[str, Scores]:
    """Means over scenes, objects and interiors apart."""
    kinds: dict[str, dict[str, list[list[Score]]]] = {}
    for scene, cases in found.items():
        for case, scores in cases.items():
            kinds.setdefault(kind_of(scene), {}).setdefault(case, []).append(scores)
    return {
        kind: {case: [mean(column) for column in zip(*rows, strict=True)] for case, rows in cases.items()}
        for kind, cases in kinds.items()
    }


def mean(scores: Sequence[Score]) -> Score:
    """The mean over scenes, each counting the same; of memory the most."""
    from exgs.feedforward.evaluation import Score

    return Score(
        views=scores[0].views,
        anchors=scores[0].anchors,
        psnr=float(np.mean([score.psnr for score in scores])),
        ssim=float(np.mean([score.ssim for score in scores])),
        gaussians=round(float(np.mean([score.gaussians for score in scores]))),
        seconds=float(np.mean([score.seconds for score in scores])),
        peak_bytes=max(score.peak_bytes for score in scores),
    )


def lines(kinds: dict[str, Scores]) -> Iterator[str]:
    """The table for a person."""
    yield " " * 20 + "".join(f"{name:>{width}}" for name, width in COLUMNS.items())
    for kind, cases in kinds.items():
        for case, scores in cases.items():
            for score in scores:
                yield (
                    f"{kind + ' ' + case:<20}{score.views:>6}{score.anchors:>5}{score.psnr:>10.2f}"
                    f"{score.ssim:>9.4f}{score.gaussians:>12,}{score.seconds:>9.2f}{size(score.peak_bytes):>12}"
                )


def as_json(found: dict[str, Scores]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The scores as JSON holds them."""
    return {
        name: {case: [rounded(score) for score in scores] for case, scores in cases.items()}
        for name, cases in found.items()
    }


def rounded(score: Score) -> dict[str, Any]:
    """A score without digits that nobody reads."""
    named: Iterable[tuple[str, Any]] = asdict(score).items()
    return {name: round(value, 4) if isinstance(value, float) else value for name, value in named}

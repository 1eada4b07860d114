"""What each ingredient of the encoder is worth: files of equal bytes, made without it.

    python -m benchmarks.ablation [SCENE ...] [--ratio 107] [--views 24] [--jobs N] [--document FILE]

SCENE is as for benchmarks.codec.run. Every ingredient is taken out alone, the rest of the encoder stays as it
is and fills the same budget. PSNR is over views sampled with a seed of their own at 640 x 360. Rows go
to OUT/ablation.jsonl as they come, and what is there already is not measured again.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.altering import altered
from benchmarks.codec.publish import fill_in
from benchmarks.codec.rows import Row, Rows
from benchmarks.codec.scenes import Scene, make_ready, names
from benchmarks.codec.tables import NONE, markdown
from benchmarks.exchanges import ZstdColumns, all_clear, as_they_are, nearest_partners, prune
from benchmarks.judging import fidelity
from exgs.codec import EncodeConfig, EncodeError, Encoding, encode
from exgs.codec.encoding.rate import BALANCED
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.scene import Gaussians, read_scene

SCENES = ("massa", "guitar", "skull", "interior")
WHOLE = "whole"


@dataclass(frozen=True)
class Ingredient:
    """What is taken out, and what stands in for it."""

    instead: str
    """What there is in its place."""
    changes: dict[str, Any] = field(default_factory=dict)
    """Parts of exgs.codec, and what replaces them."""
    config: dict[str, Any] = field(default_factory=dict)
    """Fields of the configuration."""
    recoded: bool = False
    """Whether zstd codes the integers instead."""


INGREDIENTS = {
    WHOLE: Ingredient("nothing taken out"),
    "merging": Ingredient("pruning of what shows least", {"encoding.merging.reduce": prune}),
    "cost in the picture": Ingredient(
        "pairs by distance alone", {"encoding.merge_tree.find_partners": nearest_partners}
    ),
    "light that reaches a Gaussian": Ingredient(
        "every Gaussian counts as unoccluded", {"encoding.visibility.light": all_clear}
    ),
    "refit": Ingredient("all values as merged", config={"refit": False}),
    "refit of geometry": Ingredient("refit of colours alone", {"encoding.finetune.finetune": as_they_are}),
    "levels": Ingredient("one level: no preview", config={"levels": 1}),
    "classes of precision": Ingredient(
        "the same steps for all", {"encoding.rate.BALANCED": replace(BALANCED, weighting=0.0)}
    ),
    "balance by scene": Ingredient("the steps that suit most scenes", {"encoding.planning.LOOKS": 0}),
    "prediction and entropy coder": Ingredient("zstd 19 of each column", recoded=True),
    "harmonics": Ingredient("degree 0", config={"sh_degree": 0}),
    "all views": Ingredient("16 views", config={"views": 16}),
    "effort": Ingredient("the least: pictures of 320 x 180", config={"effort": "fast"}),
}


def main() -> None:
    args = _arguments()
    rows = Rows(args.out / "ablation.jsonl")
    wanted = [name for name in args.scenes or SCENES if name in names() or Path(name).is_file()]
    scenes = [make_ready(name, args.out / "scenes" / Path(name).name) for name in wanted]
    tasks = [
        (scene, name, args.ratio, args.views)
        for scene in scenes
        for name in args.only or INGREDIENTS
        if rows.known((scene.name, name, scene.budget(args.ratio))) is None
    ]
    for row in _run(tasks, args.jobs):
        rows.add(row)
        print(row.scene, row.system, row.note or f"{row.psnr:.2f} dB, {row.bytes:,} bytes", file=sys.stderr)
    table = as_table([row for row in rows if row.ratio == args.ratio])
    fill_in({"ablation": table}, args.out, args.document)
    print(table)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", metavar="SCENE")
    parser.add_argument("--ratio", type=float, default=107.0)
    parser.add_argument("--views", type=int, default=24)
    parser.add_argument("--only", action="append", choices=INGREDIENTS)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--out", type=Path, default=Path("bench-out"))
    parser.add_argument("--document", type=Path, help="Markdown file that has a mark for the table")
    return parser.parse_args()


def _run(tasks: list[tuple[Scene, str, float, int]], jobs: int) -> Iterable[Row]:
    if jobs == 1 or not tasks:
        yield from map(measure, tasks)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(measure, tasks)


def measure(task: tuple[Scene, str, float, int]) -> Row:
    """One scene without one ingredient."""
    scene, name, ratio, views = task
    ingredient, budget = INGREDIENTS[name], scene.budget(ratio)
    blank = Row(scene.name, name, budget, scene.float_bytes, ratio=ratio, views=views, judge="exgs")
    gaussians, rasterizer = read_scene(scene.ply), choose_rasterizer("cpu")
    config = EncodeConfig(max_bytes=budget, **ingredient.config)
    began = time.perf_counter()
    try:
        if ingredient.recoded:
            encoding, size = _recoded(gaussians, config, rasterizer)
        else:
            with altered(ingredient.changes):
                encoding = encode(gaussians, config, rasterizer=rasterizer)
            size = len(encoding.data)
    except EncodeError as error:
        return replace(blank, note=str(error))
    return replace(
        blank, bytes=size, splats=encoding.report.splats_kept,
        psnr=round(fidelity(gaussians, encoding.data, views, rasterizer), 3),
        encode_s=round(time.perf_counter() - began, 1), date=str(date.today()),
    )  # fmt: skip


def _recoded(gaussians: Gaussians, config: EncodeConfig, rasterizer: Rasterizer) -> tuple[Encoding, int]:
    """A file whose integers take the budget as zstd codes them, and what they take."""
    coder, budget = ZstdColumns(), config.max_bytes or 0
    with altered(coder.changes):
        encoding = encode(gaussians, config, rasterizer=rasterizer)
        share = len(encoding.data) / coder.size(encoding.data)
        encoding = encode(gaussians, replace(config, max_bytes=int(budget * share)), rasterizer=rasterizer)
        return encoding, coder.size(encoding.data)


def as_table(rows: list[Row]) -> str:
    """PSNR of the whole encoder, and what is lost without each ingredient."""
    scenes = list(dict.fromkeys(row.scene for row in rows))
    psnr = {(row.scene, row.system): row.psnr for row in rows}
    lines = [[WHOLE, "", *(f"{psnr.get((s, WHOLE)) or float('nan'):.2f} dB" for s in scenes), ""]]
    for name in (name for name in INGREDIENTS if name != WHOLE):
        losses = [_loss(psnr.get((s, name)), psnr.get((s, WHOLE))) for s in scenes]
        told = [loss for loss in losses if loss is not None]
        cells = [f"{loss:+.2f}" if loss is not None else NONE for loss in losses]
        mean = f"{np.mean(told):+.2f}" if told else NONE
        lines.append([name, INGREDIENTS[name].instead, *cells, mean])
    return markdown(["without", "in its place", *scenes, "mean"], lines)


def _loss(without: float | None, whole: float | None) -> float | None:
    return without - whole if without is not None and whole is not None else None


if __name__ == "__main__":
    main()

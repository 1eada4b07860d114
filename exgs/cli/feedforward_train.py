"""``exgs feedforward train``: a network, from view sets."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exgs.cli.folders import try_nearest
from exgs.cli.rasterising import rasterizer_for
from exgs.cli.run_folder import CHECKPOINT, begin, check_folder, need
from exgs.cli.terminal import Reporter
from exgs.cli.training_run import Run, command
from exgs.feedforward.sampling import check_walks, split
from exgs.feedforward.sets import SETS, ViewSet, read_view_sets
from exgs.raster import Rasterizer

if TYPE_CHECKING:
    from exgs.feedforward.network import Reconstructor
    from exgs.feedforward.training import StepReport, Training

REPORT_STEPS = 50
"""Steps between lines of the log."""


def run(args: argparse.Namespace) -> int:
    """Trains until the time or the steps are over; the checkpoint can be exported at any time."""
    out = Path(args.out)
    check_folder(args, out)
    for folder in args.sets:
        SETS.read_index(Path(folder))
    need("torch")
    try_nearest(out)
    import torch

    if args.threads:
        torch.set_num_threads(args.threads)
    with Reporter(quiet=args.quiet) as reporter:
        rasterizer = rasterizer_for("cpu", reporter)
        with reporter.phase("read"):
            sets = [found for folder in args.sets for found in read_view_sets(Path(folder))]
            check_walks(sets)
        training, back = _start(args, sets, rasterizer, out)
        begin(out, _command(args), resume=args.resume)
        with reporter.phase("train") as progress:
            judge = partial(_judge, sets=back, rasterizer=rasterizer)
            Run(args, training, every=REPORT_STEPS, total=_total, judge=judge).go(progress.update)
    return 0


def _start(
    args: argparse.Namespace, sets: list[ViewSet], rasterizer: Rasterizer, out: Path
) -> tuple[Training, list[ViewSet]]:
    """The training, and the scenes it is judged by."""
    from exgs.feedforward.lessons import Lessons
    from exgs.feedforward.network import ARCHITECTURES
    from exgs.feedforward.training import Training, TrainSettings

    used, back = split(sets)
    named = {"rate": args.rate, "seed": args.seed}
    given = {name: value for name, value in named.items() if value is not None}
    settings = TrainSettings(dict(ARCHITECTURES[args.size]), **given)
    training = Training(settings, Lessons(used), rasterizer)
    if args.resume:
        training.resume(out / CHECKPOINT)
    return training, back


def _command(args: argparse.Namespace) -> str:
    """The command as it could be called again: what was said, and nothing that is the default."""
    names = ("minutes", "steps", "threads", "rate", "seed")
    return shlex.join(command(args, "feedforward", args.sets, ["--size", args.size], names))


def _total(reports: Sequence[StepReport]) -> tuple[dict[str, Any], str]:
    """Mean loss, and mean PSNR with ZPressor and without it."""
    facts = {"loss": sum(report.loss for report in reports) / len(reports)}
    for name, many in (("with", True), ("without", False)):
        found = [report.psnr for report in reports if report.many == many]
        facts |= {name: sum(found) / len(found)} if found else {}
    return {name: round(value, 4) for name, value in facts.items()}, f"loss {facts['loss']:.3f}"


def _judge(
    network: Reconstructor, *, sets: list[ViewSet], rasterizer: Rasterizer
) -> tuple[dict[str, Any], list[list[np.ndarray]]]:
    """The scores on the scenes held back, and samples of them."""
    from exgs.feedforward.validation import samples, validate

    return validate(network, sets, rasterizer), samples(network, sets, rasterizer)

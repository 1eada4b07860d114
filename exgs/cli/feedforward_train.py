"""``exgs feedforward train``: a network, from view sets."""

from __future__ import annotations

import argparse
import json
import shlex
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exgs.cli.feedforward import MINUTES
from exgs.cli.rasterising import rasterizer_for
from exgs.cli.run_folder import CHECKPOINT, LOG, SHEET, begin, check_folder, need
from exgs.cli.terminal import Reporter
from exgs.feedforward.sampling import split
from exgs.feedforward.sets import SETS, ViewSet, read_view_sets
from exgs.raster import Rasterizer

if TYPE_CHECKING:
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
    import torch

    if args.threads:
        torch.set_num_threads(args.threads)
    with Reporter(quiet=args.quiet) as reporter:
        rasterizer = rasterizer_for("cpu", reporter)
        with reporter.phase("read"):
            sets = [found for folder in args.sets for found in read_view_sets(Path(folder))]
        begin(out, _command(args), resume=args.resume)
        training, back = _start(args, sets, rasterizer, out)
        with reporter.phase("train") as progress:
            _Run(args, training, back, rasterizer, out).go(progress.update)
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
    words = ["exgs", "feedforward", "train", *args.sets, args.out, "--size", args.size]
    for name in ("minutes", "steps", "threads", "rate", "seed"):
        value = getattr(args, name)
        words += [f"--{name}", f"{value:g}"] if value else []
    return shlex.join([*words, *(["--resume"] if args.resume else [])])


class _Run:
    """One call of the command: steps, and from time to time a checkpoint, scores and a sheet."""

    def __init__(
        self,
        args: argparse.Namespace,
        training: Training,
        back: list[ViewSet],
        rasterizer: Rasterizer,
        out: Path,
    ) -> None:
        self._steps, self._seconds = args.steps, 60 * (args.minutes or MINUTES)
        self._every_s = 60 * args.checkpoint_minutes
        self._training, self._back, self._rasterizer, self._out = training, back, rasterizer, out
        self._began_at, self._began_s = training.progress, time.monotonic()

    def go(self, tell: Callable[[float, str], None]) -> None:
        """Trains to the end."""
        training, kept_s, reports = self._training, time.monotonic(), list[Any]()
        while (share := self._progress()) < 1:
            reports.append(training.advance(share))
            if len(reports) == REPORT_STEPS:
                facts = means(reports)
                self._log(facts)
                tell(share, f"step {training.step}, loss {facts['loss']:.3f}")
                reports = []
            if time.monotonic() - kept_s > self._every_s:
                self._keep()
                kept_s = time.monotonic()
        training.progress = 1.0
        self._keep()

    def _progress(self) -> float:
        """Share of the training that is over; a resumed one fills the time with what was left to do."""
        if self._steps:
            return self._training.step / self._steps
        spent = (time.monotonic() - self._began_s) / self._seconds
        return self._began_at + (1 - self._began_at) * spent if self._began_at < 1 else spent

    def _keep(self) -> None:
        from exgs.cli.pictures import write_sheet
        from exgs.feedforward.validation import samples, validate

        self._training.save(self._out / CHECKPOINT)
        self._log({"scores": validate(self._training.average, self._back, self._rasterizer)})
        write_sheet(self._out / SHEET, samples(self._training.average, self._back, self._rasterizer))

    def _log(self, facts: dict[str, Any]) -> None:
        line = {
            "step": self._training.step,
            "progress": round(self._training.progress, 4),
            "seconds": round(time.monotonic() - self._began_s, 1),
        }
        with (self._out / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line | facts) + "\n")


def means(reports: list[StepReport]) -> dict[str, float]:
    """Mean loss, and mean PSNR with ZPressor and without it."""
    facts = {"loss": sum(report.loss for report in reports) / len(reports)}
    for name, many in (("with", True), ("without", False)):
        found = [report.psnr for report in reports if report.many == many]
        facts |= {name: sum(found) / len(found)} if found else {}
    return {name: round(value, 4) for name, value in facts.items()}

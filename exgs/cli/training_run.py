"""One call of a command that trains: steps, and from time to time a checkpoint, scores and a sheet."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from exgs.cli.groups import MINUTES
from exgs.cli.pictures import write_sheet
from exgs.cli.run_folder import CHECKPOINT, LOG, SHEET

if TYPE_CHECKING:
    from torch import nn


class Training(Protocol):
    """What trains, in either room."""

    step: int
    progress: float
    average: nn.Module

    def advance(self, progress: float) -> Any:
        """Takes one step, and says what it did."""

    def save(self, path: Path) -> None:
        """Writes a checkpoint."""


Sum = Callable[[Sequence[Any]], tuple[dict[str, Any], str]]
"""Of what some steps did: facts for the log, words for whoever waits."""
Judge = Callable[[Any], tuple[dict[str, Any], Sequence[Sequence[np.ndarray]]]]
"""Of a network: its scores, and pictures for the sheet."""


def command(
    args: argparse.Namespace, group: str, paths: Sequence[str], start: Sequence[str], names: Sequence[str]
) -> list[str]:
    """The words of a training's command as it could be called again: what it begins with, and of the flags
    ``names`` what was said."""
    words = ["exgs", group, "train", *paths, args.out, *start]
    for name in names:
        value = getattr(args, name)
        words += [f"--{name}", f"{value:g}"] if value else []
    return [*words, *(["--resume"] if args.resume else [])]


class Run:
    """One call of the command."""

    def __init__(
        self, args: argparse.Namespace, training: Training, *, every: int, total: Sum, judge: Judge
    ) -> None:
        """``every`` is how many steps make a line of the log."""
        self._steps, self._seconds = args.steps, 60 * (args.minutes or MINUTES)
        self._keep_s, self._every = 60 * args.checkpoint_minutes, every
        self._training, self._total, self._judge = training, total, judge
        self._out = Path(args.out)
        self._began_at, self._began_s = training.progress, time.monotonic()

    def go(self, tell: Callable[[float, str], None]) -> None:
        """Trains to the end."""
        training, kept_s, reports = self._training, time.monotonic(), list[Any]()
        while (share := self._progress()) < 1:
            reports.append(training.advance(share))
            if training.step % self._every == 0:
                facts, words = self._total(reports)
                self._log(facts)
                tell(share, f"step {training.step}, {words}")
                reports = []
            if time.monotonic() - kept_s > self._keep_s:
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
        self._training.save(self._out / CHECKPOINT)
        scores, rows = self._judge(self._training.average)
        self._log({"scores": scores})
        write_sheet(self._out / SHEET, rows)

    def _log(self, facts: dict[str, Any]) -> None:
        line = {
            "step": self._training.step,
            "progress": round(self._training.progress, 4),
            "seconds": round(time.monotonic() - self._began_s, 1),
        }
        with (self._out / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line | facts) + "\n")

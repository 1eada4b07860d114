"""The folder that a training leaves, whichever network is trained, and what is told of it afterwards."""

from __future__ import annotations

import argparse
import importlib.util
from pathlib import Path
from typing import Any

from exgs.cli.errors import CommandError, UsageError
from exgs.scene.formats.bounded import read_object

CHECKPOINT, LOG, SHEET, COMMAND = "checkpoint.pt", "log.jsonl", "samples.png", "command.txt"
MAX_REPORT_BYTES = 16 << 20


def need(*modules: str) -> None:
    """Ends with the remedy where one of ``modules`` is not installed.

    Raises:
        CommandError: one is missing.
    """
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        raise CommandError(f"{' and '.join(missing)}: not installed: pip install 'exgs[train]'")


def check_folder(args: argparse.Namespace, folder: Path) -> None:
    """Refuses to begin where a run was left, or to go on where there is none.

    Raises:
        UsageError: ``--resume`` or ``-w`` says otherwise than what lies in ``folder``.
    """
    there = (folder / CHECKPOINT).exists()
    if args.resume and not there:
        raise UsageError(f"{folder} holds no {CHECKPOINT}: there is nothing to resume")
    if there and not args.resume and not args.overwrite:
        raise UsageError(f"{folder} holds a checkpoint; --resume goes on from it, -w begins anew")


def begin(folder: Path, command: str, *, resume: bool) -> None:
    """Makes the folder and notes the command; of a run that begins anew nothing is left."""
    folder.mkdir(parents=True, exist_ok=True)
    if not resume:
        (folder / LOG).unlink(missing_ok=True)
        (folder / COMMAND).unlink(missing_ok=True)
    with (folder / COMMAND).open("a", encoding="utf-8") as commands:
        commands.write(command + "\n")


def evaluated(path: str | None, group: str) -> dict[str, Any]:
    """The report of ``exgs GROUP evaluate --json``; nothing where there is no ``path``.

    Raises:
        CommandError: the file is no such report.
    """
    if path is None:
        return {}
    report = read_object(Path(path), MAX_REPORT_BYTES, CommandError)
    if "kinds" not in report:
        raise CommandError(f"{path}: not a report of 'exgs {group} evaluate --json'")
    return {"scenes never seen": report["kinds"]}

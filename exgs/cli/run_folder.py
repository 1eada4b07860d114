"""The folder that a training leaves, whichever network is trained, and what is told of it afterwards."""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.folders import check_folder_name, make_folder
from exgs.cli.sources import commit
from exgs.scene.formats.bounded import read_object
from exgs.weights.shelf import MANIFEST

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
    check_folder_name(folder)
    there = (folder / CHECKPOINT).exists()
    if args.resume and not there:
        raise UsageError(f"{folder} holds no {CHECKPOINT}: there is nothing to resume")
    if there and not args.resume and not args.overwrite:
        raise UsageError(f"{folder} holds a checkpoint; --resume goes on from it, -w begins anew")


def begin(folder: Path, command: str, *, resume: bool) -> None:
    """Makes the folder and notes the command; where a run begins anew nothing is left of an older one."""
    make_folder(folder)
    if not resume:
        for name in (CHECKPOINT, LOG, SHEET, COMMAND):
            (folder / name).unlink(missing_ok=True)
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


def find_checkpoint(args: argparse.Namespace, group: str) -> Path:
    """The checkpoint that ``exgs GROUP export`` was given, or that of the folder.

    Raises:
        UsageError: there are weights already where it would write them.
        CommandError: there is none.
    """
    path = Path(args.checkpoint)
    path = path / CHECKPOINT if path.is_dir() else path
    if (Path(args.out) / MANIFEST).exists() and not args.overwrite:
        raise UsageError(f"{args.out} holds weights already; -w replaces them")
    if not path.is_file():
        raise CommandError(f"{path}: there is no such file; 'exgs {group} train' leaves one")
    return path


def origin(args: argparse.Namespace, state: Mapping[str, Any], checkpoint: Path) -> dict[str, Any]:
    """What a manifest says of where weights come from, and places for their scenes and scores."""
    command = checkpoint.parent / COMMAND
    said = command.read_text(encoding="utf-8").splitlines() if command.exists() else []
    return {
        "name": args.name or Path(args.out).resolve().name,
        "architecture": state["settings"]["architecture"],
        "command": [line for line in said if line],
        "steps": state["step"],
        "commit": commit(),
        "date": datetime.now(UTC).date().isoformat(),
        "scenes": {"train": [], "held_out": []},
        "scores": {},
    }

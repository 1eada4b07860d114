"""``exgs feedforward export``: a checkpoint into a folder of weights."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.run_folder import CHECKPOINT, COMMAND, evaluated, need
from exgs.cli.sources import commit
from exgs.cli.terminal import Reporter
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.sampling import split
from exgs.feedforward.sets import SETS, ViewSet, read_view_sets
from exgs.weights.shelf import MANIFEST


def run(args: argparse.Namespace) -> int:
    """Writes safetensors and manifest; the weights are the averaged ones."""
    checkpoint = Path(args.checkpoint)
    checkpoint = checkpoint / CHECKPOINT if checkpoint.is_dir() else checkpoint
    out = Path(args.out)
    if (out / MANIFEST).exists() and not args.overwrite:
        raise UsageError(f"{out} holds weights already; -w replaces them")
    if not checkpoint.is_file():
        raise CommandError(f"{checkpoint}: there is no such file; 'exgs feedforward train' leaves one")
    scores = evaluated(args.scores, "feedforward")
    for folder in args.sets:
        SETS.read_index(Path(folder))
    need("torch", "safetensors")
    from exgs.feedforward.export import export
    from exgs.feedforward.network import build
    from exgs.training.checkpoint import network_from, read_checkpoint

    state = read_checkpoint(checkpoint, FeedforwardError)
    with Reporter(quiet=args.quiet) as reporter, reporter.phase("export") as progress:
        network = network_from(state, build, FeedforwardError)
        facts = _facts(args, state, checkpoint.parent / COMMAND)
        if args.sets:
            sets = [found for folder in args.sets for found in read_view_sets(Path(folder))]
            facts |= _judged(network, sets)
        facts["scenes"]["held_out"] = list(args.held_out)
        facts["scores"] |= scores
        document = export(network, out, facts)
        progress.update(1.0, f"{document['parameters']:,} parameters")
    return 0


def _facts(args: argparse.Namespace, state: dict[str, Any], command: Path) -> dict[str, Any]:
    """What the manifest says of where the weights come from."""
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


def _judged(network: Any, sets: list[ViewSet]) -> dict[str, Any]:
    """What was trained on, and the scores on the scenes held back from that."""
    from exgs.feedforward.validation import validate
    from exgs.raster import choose_rasterizer

    used, back = split(sets)
    return {
        "scenes": {
            "train": [found.scene for found in used],
            "held_back": [found.scene for found in back],
            "held_out": [],
        },
        "scores": {"held back while training": validate(network, back, choose_rasterizer("cpu"))},
    }

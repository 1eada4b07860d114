"""``exgs feedforward export``: a checkpoint into a folder of weights."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from exgs.cli.run_folder import evaluated, find_checkpoint, need, origin
from exgs.cli.terminal import Reporter
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.sampling import split
from exgs.feedforward.sets import SETS, ViewSet, read_view_sets


def run(args: argparse.Namespace) -> int:
    """Writes safetensors and manifest; the weights are the averaged ones."""
    checkpoint = find_checkpoint(args, "feedforward")
    scores = evaluated(args.scores, "feedforward")
    for folder in args.sets:
        SETS.read_index(Path(folder))
    need("torch", "safetensors")
    from exgs.feedforward.export import export
    from exgs.feedforward.network import build
    from exgs.training.checkpoint import network_from, read_checkpoint

    state = read_checkpoint(checkpoint, FeedforwardError)
    network = network_from(state, build, FeedforwardError)
    facts = origin(args, state, checkpoint)
    with Reporter(quiet=args.quiet) as reporter:
        if args.sets:
            with reporter.phase("read"):
                sets = [found for folder in args.sets for found in read_view_sets(Path(folder))]
            with reporter.phase("judge") as progress:
                facts |= _judged(network, sets, progress.update)
        facts["scenes"]["held_out"] = list(args.held_out)
        facts["scores"] |= scores
        with reporter.phase("export") as progress:
            document = export(network, Path(args.out), facts)
            progress.update(1.0, f"{document['parameters']:,} parameters")
    return 0


def _judged(network: Any, sets: list[ViewSet], progress: Callable[[float], None]) -> dict[str, Any]:
    """What was trained on, and the scores on the scenes held back from that."""
    from exgs.feedforward.validation import validate
    from exgs.raster import choose_rasterizer

    used, back = split(sets)
    scores = validate(network, back, choose_rasterizer("cpu"), progress)
    return {
        "scenes": {
            "train": [found.scene for found in used],
            "held_back": [found.scene for found in back],
            "held_out": [],
        },
        "scores": {"held back while training": scores},
    }

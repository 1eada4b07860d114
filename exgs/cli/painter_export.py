"""``exgs painter export``: a checkpoint into a folder of weights."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from exgs.cli.run_folder import evaluated, find_checkpoint, need, origin
from exgs.cli.terminal import Reporter
from exgs.painter.errors import PainterError
from exgs.painter.shards import PAIRS

LICENCE = "Apache-2.0; trained on renderings of scenes under MIT and CC-BY-4.0 (docs/painter.md)"


def run(args: argparse.Namespace) -> int:
    """Writes safetensors, ONNX and manifest; the weights are the averaged ones."""
    checkpoint = find_checkpoint(args, "painter")
    scores = evaluated(args.scores, "painter")
    if args.pairs:
        PAIRS.read_index(Path(args.pairs))
    need("torch", "onnx", "onnxscript", "safetensors")
    from exgs.painter.export import export
    from exgs.painter.networks import build
    from exgs.training.checkpoint import network_from, read_checkpoint

    state = read_checkpoint(checkpoint, PainterError)
    network = network_from(state, build, PainterError)
    facts = origin(args, state, checkpoint) | {"licence": LICENCE}
    with Reporter(quiet=args.quiet) as reporter:
        if args.pairs:
            facts |= _calibrated(network, Path(args.pairs), reporter)
        facts["scenes"]["train"] = _with_earlier(state["settings"], facts["scenes"]["train"])
        facts["scenes"]["held_out"] = list(args.held_out)
        facts["scores"] |= scores
        with reporter.phase("export") as progress:
            document = export(network, Path(args.out), facts)
            progress.update(1.0, f"{document['parameters']:,} parameters")
    return 0


def _with_earlier(settings: Mapping[str, Any], scenes: Sequence[str]) -> list[str]:
    """``scenes``, behind those that the weights had learnt from which the training began with."""
    told = settings.get("learnt_from")
    earlier = [str(name) for name in told] if isinstance(told, list | tuple) else []
    return list(dict.fromkeys([*earlier, *scenes]))


def _calibrated(network: Any, folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Closes gates by the views held back from training, and says what the network gains on them."""
    from exgs.painter.calibration import calibrate
    from exgs.painter.shards import read_pairs
    from exgs.painter.validation import validate

    with reporter.phase("read"):
        pairs = read_pairs(folder)
    with reporter.phase("calibrate") as progress:
        choice = calibrate(network, pairs, progress=progress.update)
    with reporter.phase("judge") as progress:
        gains = {kind: asdict(gain) for kind, gain in validate(network, pairs, progress.update).items()}
    return {
        "scenes": {"train": [found.scene for found in pairs], "held_out": []},
        "gate": asdict(choice.gate),
        "calibration": choice.facts,
        "scores": {"views held back of training scenes": gains},
    }

"""Sets anew how large holes have to be for weights to fill them, and how sure these of them.

It goes by pairs of scenes that the weights were not trained on:

    exgs painter make-pairs PAIRS --generated 3 --first-interior 13 --views 36 --pairs-per-view 4 \\
        --damage ugc-107 ugc-200 exgs-107 exgs-200 ugc-107@0.3 ugc-107@0.6 source
    python -m benchmarks.painter_gate PAIRS WEIGHTS ... [--write]

What the weights compute stays as it is, and so does the bound on splats; the others are chosen as an export
chooses them, by all pictures of PAIRS. WEIGHTS are sizes that are shipped, or folders; ``--write`` changes
their manifests.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING

from exgs.painter.errors import PainterError
from exgs.painter.gate import Gate
from exgs.painter.shards import Pairs, read_pairs
from exgs.painter.shelf import MANIFEST, Weights, open_weights
from exgs.scene.formats.atomic import write_bytes
from exgs.weights.tensors import load, require_torch

if TYPE_CHECKING:  # what needs torch is imported where it is used: --help works without
    from exgs.painter.calibration import Choice


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pairs", type=Path)
    parser.add_argument("weights", nargs="+")
    parser.add_argument("--holes", nargs="+", type=float, help="bounds to choose from")
    parser.add_argument("--confidences", nargs="+", type=float, help="the same, of what is sure enough")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    require_torch(SystemExit)
    import torch

    from exgs.painter.calibration import CONFIDENCES, HOLES

    torch.set_num_threads(args.threads)
    pairs = read_pairs(args.pairs)
    for name in args.weights:
        weights = open_weights(name)
        choice = chosen(weights, pairs, args.holes or list(HOLES), args.confidences or list(CONFIDENCES))
        print(f"{name}: {choice}", flush=True)
        if args.write:
            write_gate(weights, choice, [found.scene for found in pairs])


def chosen(weights: Weights, pairs: list[Pairs], shares: list[float], confidences: list[float]) -> Choice:
    """The bounds that gain most of those that do no harm; the network's own gates are left as they are."""
    from exgs.painter.calibration import calibrate
    from exgs.painter.networks import build
    from exgs.painter.validation import all_of

    network = load(weights, build, PainterError).eval()
    bound = weights.manifest.gate.splats_per_pixel
    gates = [Gate(bound, *others) for others in product(shares, confidences)]
    return calibrate(network, pairs, biases=(0.0,), gates=gates, chosen=all_of)


def write_gate(weights: Weights, choice: Choice, scenes: list[str]) -> None:
    """Puts the bounds into the manifest, with the scenes that they were chosen by."""
    document = dict(weights.manifest.document)
    known = document.get("calibration", {})
    bias = known.get("bias", 0.0)  # closed on export, within the weights
    document["gate"] = asdict(choice.gate)
    document["calibration"] = choice.facts | {"bias": bias, "scenes": scenes}
    write_bytes(weights.folder / MANIFEST, (json.dumps(document, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()

"""Turns what training left into the folder of weights that reconstruction takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exgs.feedforward.network import Reconstructor
from exgs.weights.shelf import write_weights
from exgs.weights.tensors import to_safetensors

LICENCE = "Apache-2.0; trained on renderings of scenes under MIT and CC-BY-4.0 (docs/feedforward.md)"


def export(network: Reconstructor, folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Writes weights and manifest into ``folder``; gives the manifest.

    ``facts`` are what the manifest says besides: name, architecture, where they come from, scores.

    Raises:
        SceneError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    counted = sum(weights.numel() for weights in network.parameters())
    said = {**facts, "parameters": counted, "licence": LICENCE}
    return write_weights(folder, {"safetensors": to_safetensors(network)}, said)

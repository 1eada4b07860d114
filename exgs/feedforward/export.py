"""Turns what training left into the folder of weights that reconstruction takes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.network import Reconstructor, build
from exgs.weights.shelf import write_weights

LICENCE = "Apache-2.0; trained on renderings of scenes under MIT and CC-BY-4.0 (docs/feedforward.md)"


def network_from(state: Mapping[str, Any]) -> Reconstructor:
    """The averaged network of a checkpoint, its weights rounded to float16 as they are shipped.

    Raises:
        FeedforwardError: the weights are not those of the architecture.
    """
    network = build(state["settings"]["architecture"])
    try:
        network.load_state_dict({name: value.half().float() for name, value in state["average"].items()})
    except RuntimeError as error:
        raise FeedforwardError(f"not the weights of this architecture: {str(error)[:200]}") from error
    return network.eval()


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


def to_safetensors(network: Reconstructor) -> bytes:
    """The weights in float16."""
    import safetensors.torch

    halves = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    return bytes(safetensors.torch.save(halves))

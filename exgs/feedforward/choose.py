"""Which network turns pictures into Gaussians on this machine: its weights, its device."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exgs.feedforward.errors import FeedforwardError
from exgs.weights import Manifest, Weights, shelf

if TYPE_CHECKING:
    from exgs.feedforward.network import Reconstructor

SIZES = ("small", "base")
"""The sizes that may be shipped, smallest first."""
SHELF = Path(__file__).parent / "weights"
DEVICES = ("auto", "cpu", "cuda")
"""``auto`` is CUDA where torch has it, else the CPU."""
REMEDY = "pip install 'exgs[train]'"


def shipped(folder: Path = SHELF) -> tuple[str, ...]:
    """The sizes of which weights came with the package, smallest first."""
    return shelf.shipped(folder, SIZES)


def open_weights(name: str, folder: Path = SHELF) -> Weights[Manifest]:
    """The weights of a size that is shipped, or of any folder of that path. Needs no torch.

    Raises:
        WeightsError: there are none.
    """
    return shelf.open_weights(name, folder, SIZES, Manifest.parse)


def torch_problem() -> str | None:
    """Why networks cannot be run here, with the remedy; None where they can."""
    missing = [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]
    return f"{' and '.join(missing)}: not installed: {REMEDY}" if missing else None


def choose_device(name: str = "auto") -> str:
    """``cpu`` or ``cuda``, as ``name`` of ``DEVICES`` asks for.

    Raises:
        FeedforwardError: torch is missing, or has no CUDA device that was asked for.
    """
    problem = torch_problem()
    if problem is not None:
        raise FeedforwardError(problem)
    import torch

    there = torch.cuda.is_available()
    if name == "cuda" and not there:
        raise FeedforwardError("torch finds no CUDA device on this machine")
    return "cpu" if name == "cpu" or not there else "cuda"


def load_network(weights: Weights[Manifest], device: str = "cpu") -> Reconstructor:
    """The network of ``weights``, which are float16, computing in float32 on ``device``.

    Raises:
        FeedforwardError: torch is missing, or the weights are not those of their architecture.
        WeightsError: the file is not whole.
    """
    problem = torch_problem()
    if problem is not None:
        raise FeedforwardError(problem)
    import safetensors
    import safetensors.torch
    import torch

    from exgs.feedforward.network import build

    architecture = weights.manifest.document.get("architecture")
    if not isinstance(architecture, Mapping):
        raise FeedforwardError(f'{weights.folder}: expected an object "architecture" in its manifest')
    data = weights.read("safetensors")
    try:
        state: dict[str, Any] = safetensors.torch.load(data)
        with torch.device("meta"):  # nothing is allocated before the shapes are known to be those of the file
            network = build(architecture)
        network.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
    except (safetensors.SafetensorError, RuntimeError, TypeError, ValueError) as error:
        raise FeedforwardError(
            f"{weights.folder}: not the weights of its architecture: {str(error)[:200]}"
        ) from error
    return network.to(device, memory_format=torch.channels_last).eval()

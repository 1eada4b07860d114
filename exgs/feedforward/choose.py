"""Which network turns pictures into Gaussians on this machine: its weights, its device."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from exgs.feedforward.errors import FeedforwardError
from exgs.weights import Manifest, Weights, shelf
from exgs.weights.tensors import load, require_torch

if TYPE_CHECKING:
    from exgs.feedforward.network import Reconstructor

SIZES = ("small", "base")
"""The sizes that may be shipped, smallest first."""
SHELF = Path(__file__).parent / "weights"
DEVICES = ("auto", "cpu", "cuda")
"""``auto`` is CUDA where torch has it, else the CPU."""


def shipped(folder: Path = SHELF) -> tuple[str, ...]:
    """The sizes of which weights came with the package, smallest first."""
    return shelf.shipped(folder, SIZES)


def open_weights(name: str, folder: Path = SHELF) -> Weights[Manifest]:
    """The weights of a size that is shipped, or of any folder of that path. Needs no torch.

    Raises:
        WeightsError: there are none.
    """
    return shelf.open_weights(name, folder, SIZES, Manifest.parse)


def choose_device(name: str = "auto") -> str:
    """``cpu`` or ``cuda``, as ``name`` of ``DEVICES`` asks for.

    Raises:
        FeedforwardError: torch is missing, or has no CUDA device that was asked for.
    """
    require_torch(FeedforwardError)
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
    require_torch(FeedforwardError)
    import torch

    from exgs.feedforward.network import build

    return load(weights, build, FeedforwardError).to(device, memory_format=torch.channels_last)

"""Which restorer this machine gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.painter.errors import PainterError
from exgs.painter.network import Network
from exgs.painter.onnx_network import has_onnx, onnx_devices, onnx_problem, open_network
from exgs.painter.planes import MULTIPLE, PLANES
from exgs.painter.recall import Recall
from exgs.painter.restorer import NetworkRestorer
from exgs.painter.seam import Identity, Restorer
from exgs.painter.shelf import SHELF, SIZES, Weights, open_weights, shipped
from exgs.painter.torch_network import TorchNetwork
from exgs.weights import WeightsError

MODES = ("off", "auto", *SIZES)
"""Or the path of a folder of weights."""
ENGINES = ("auto", "cpu", "cuda", "tensorrt", "torch")
"""``auto`` is onnxruntime on CUDA where that works, else on the CPU; torch for weights without ONNX."""
SUITED = {"cpu": ("tiny",), "cuda": ("small", "tiny")}
"""What ``auto`` takes on each device: the first that is shipped. How long ``base`` takes on a GPU nobody has
measured yet, and it gains little more than ``small``."""


@dataclass(frozen=True)
class RestorerReport:
    """What ``auto`` takes, and why."""

    name: str
    """Size and device; ``off`` where nothing can be used."""
    reason: str
    """Why, and what would have to change for another."""


def choose_restorer(
    mode: str = "off",
    *,
    engine: str = "auto",
    video: bool = False,
    threads: int | None = None,
    on_off: Callable[[str], None] = lambda reason: None,
    shelf: Path = SHELF,
) -> Restorer:
    """The restorer that ``mode`` names: one of ``MODES``, or a folder of weights.

    ``video`` is for frames in their order, which recall one another. ``threads`` None takes all processors.
    ``auto`` is off where nothing can be used, and ``on_off`` then hears why.

    Raises:
        ValueError: there is no such engine.
        PainterError, WeightsError: what was asked for by name cannot be used.
    """
    if mode == "off":
        return Identity()
    try:
        weights, network = choose_network(mode, engine, threads=threads, shelf=shelf)
    except (PainterError, WeightsError) as error:
        if mode != "auto":
            raise
        on_off(str(error))
        return Identity()
    return NetworkRestorer(network, weights.manifest, recall=Recall(threads=threads) if video else None)


def restorer_report(shelf: Path = SHELF) -> RestorerReport:
    """What ``choose_restorer("auto")`` takes on this machine, and why."""
    try:
        weights, network = choose_network("auto", threads=1, shelf=shelf)
    except (PainterError, WeightsError) as error:
        return RestorerReport("off", str(error))
    return RestorerReport(
        f"{weights.manifest.name} on {network.device}", f"there are {', '.join(shipped(shelf))}"
    )


def choose_network(
    mode: str, engine: str = "auto", *, threads: int | None = None, shelf: Path = SHELF
) -> tuple[Weights, Network]:
    """The weights that ``mode`` names, which is not ``off``, and what runs them, as a trial has shown.

    Raises:
        ValueError: there is no such engine.
        PainterError, WeightsError: they cannot be used.
    """
    if engine not in ENGINES:
        raise ValueError(f"engine {engine!r}: expected one of {', '.join(ENGINES)}")
    if mode != "auto":  # what was named is looked at before what is installed
        named = open_weights(mode, shelf)
        engine = "torch" if engine == "auto" and not has_onnx(named) else engine
    if engine == "torch":
        weights = _weights(mode, "cpu", shelf)
        return weights, _tried(TorchNetwork(weights))
    problem = onnx_problem()
    if problem is not None:
        raise PainterError(problem)
    if engine == "auto" and "cuda" in onnx_devices():
        try:
            return _by_onnx(mode, "cuda", threads, shelf)
        except (PainterError, WeightsError):
            engine = "cpu"  # built in, but of no use here: the CPU then says what is wrong, if anything is
    return _by_onnx(mode, "cpu" if engine == "auto" else engine, threads, shelf)


def _by_onnx(mode: str, device: str, threads: int | None, shelf: Path) -> tuple[Weights, Network]:
    weights = _weights(mode, device, shelf)
    network = open_network(weights, device=device, threads=threads)
    return weights, network if device == "tensorrt" else _tried(network)  # that one compiles for minutes


def _tried(network: Network) -> Network:
    network.run(np.zeros((1, len(PLANES), MULTIPLE, MULTIPLE), np.float32))
    return network


def _weights(mode: str, device: str, shelf: Path) -> Weights:
    if mode != "auto":
        return open_weights(mode, shelf)
    here = shipped(shelf)
    for size in SUITED["cpu" if device == "cpu" else "cuda"]:
        if size in here:
            return open_weights(size, shelf)
    raise PainterError(f"no weights for this machine's {device} came with this package")

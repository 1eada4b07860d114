"""The named tensors of networks: how they are shipped, and whether they are those of an architecture."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from exgs.weights.shelf import Weights

if TYPE_CHECKING:
    from torch import Tensor, nn

REMEDY = "pip install 'exgs[train]'"
Network = TypeVar("Network", bound="nn.Module")
Build = Callable[[Mapping[str, Any]], Network]
"""What makes a network of an architecture."""


def torch_problem() -> str | None:
    """Why torch cannot run networks here, with the remedy; None where it can."""
    missing = [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]
    return f"{' and '.join(missing)}: not installed: {REMEDY}" if missing else None


def require_torch(error: type[Exception]) -> None:
    """Raises ``error`` where torch cannot run networks here."""
    problem = torch_problem()
    if problem is not None:
        raise error(problem)


def load(weights: Weights[Any], build: Build[Network], error: type[Exception]) -> Network:
    """The network of a folder of ``weights``, which are float16, computing in float32.

    Raises:
        error: the weights are not those of their architecture.
        WeightsError: the file is not whole.
    """
    import safetensors
    import safetensors.torch

    architecture = weights.manifest.document.get("architecture")
    if not isinstance(architecture, Mapping):
        raise error(f'{weights.folder}: expected an object "architecture" in its manifest')
    try:
        found = safetensors.torch.load(weights.read("safetensors"))
        return assemble(build, architecture, found, str(weights.folder), error)
    except (safetensors.SafetensorError, RuntimeError, TypeError, ValueError) as failure:
        raise error(
            f"{weights.folder}: not the weights of its architecture: {str(failure)[:200]}"
        ) from failure


def arrays(weights: Weights[Any], error: type[Exception]) -> dict[str, np.ndarray]:
    """The tensors of a folder of ``weights`` as they lie there, by name; torch is not needed.

    Raises:
        error: they cannot be read.
        WeightsError: the file is not whole.
    """
    import safetensors
    import safetensors.numpy

    try:
        return dict(safetensors.numpy.load(weights.read("safetensors")))
    except (safetensors.SafetensorError, TypeError, ValueError, KeyError) as failure:
        raise error(f"{weights.folder}: no tensors can be read: {str(failure)[:200]}") from failure


def assemble(
    build: Build[Network],
    architecture: Mapping[str, Any],
    found: Mapping[str, Tensor],
    where: str,
    error: type[Exception],
) -> Network:
    """The network of ``architecture`` with the weights that were ``found``, computing in float32.

    Raises:
        error: they are those of another; ``where`` names them.
    """
    import torch

    with torch.device("meta"):  # nothing is allocated before the shapes are known to be those of the file
        network = build(architecture)
    check_weights(network, found, where, error)
    network.load_state_dict({name: value.float() for name, value in found.items()}, assign=True)
    if any(part.is_meta for part in network.buffers()):
        raise error(f"{where}: its architecture has parts that no file of weights holds")
    return network.eval()


def check_weights(
    network: nn.Module, found: Mapping[str, Tensor], where: str, error: type[Exception]
) -> None:
    """Whether ``found`` are weights of ``network``, which may be on the meta device.

    Raises:
        error: they are not: which is the first that differs.
    """
    wanted = network.state_dict()
    for name in sorted(wanted.keys() | found.keys()):
        here, there = (shape_of(tensors.get(name)) for tensors in (wanted, found))
        if here != there:
            raise error(f"{where}: {name[:80]} is {there}, its architecture says {here}")


def to_safetensors(network: nn.Module) -> bytes:
    """The weights in float16, as they are shipped."""
    import safetensors.torch

    halves = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    return bytes(safetensors.torch.save(halves))


def shape_of(tensor: Tensor | None) -> str:
    """How a tensor is told from those that are no weights of that shape."""
    if tensor is None:
        return "nothing"
    return f"{list(tensor.shape)}{'' if tensor.is_floating_point() else f' {tensor.dtype}'}"

"""Reads what torch has saved, here or elsewhere: nothing in such a file is believed unseen."""

from __future__ import annotations

import json
import math
import pickle
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from exgs.weights.tensors import Build, Network, assemble, shape_of

MOMENTS = ("exp_avg", "exp_avg_sq")
"""What the optimiser remembers of each weight, in its shape, beside the number of steps."""


def read_checkpoint(path: Path, error: type[Exception]) -> dict[str, Any]:
    """The checkpoint at ``path``: a step and a progress that make sense, an architecture, and named tensors.
    Whether these are of that architecture is not looked at.

    Raises:
        error: there is none, or it is damaged.
    """
    state = _load(path, error)
    needed = {"settings", "step", "progress", "network", "average"}
    if not isinstance(state, dict) or not needed <= set(state):
        raise error(f"{path}: not a checkpoint of a training")
    settings = state["settings"]
    if not isinstance(settings, dict) or not _is_document(settings.get("architecture")):
        raise error(f"{path}: the checkpoint says nothing of its architecture")
    step, progress = state["step"], state["progress"]
    if type(step) is not int or step < 0:
        raise error(f"{path}: a checkpoint of step {str(step)[:40]}, expected a number")
    if not isinstance(progress, int | float) or not 0 <= progress < math.inf:
        raise error(f"{path}: a checkpoint with progress {str(progress)[:40]}, expected 0 to 1")
    for part in ("network", "average"):
        if not _is_named(state[part]):
            raise error(f"{path}: {part} of the checkpoint holds something else than named tensors")
    return state


def read_tensors(path: Path, error: type[Exception]) -> dict[str, Tensor]:
    """The named tensors of a ``.pth`` file.

    Raises:
        error: there is none, or it holds something else.
    """
    state = _load(path, error)
    if not _is_named(state):
        raise error(f"{path}: not a file of named tensors")
    return dict(state)


def network_from(state: Mapping[str, Any], build: Build[Network], error: type[Exception]) -> Network:
    """The averaged network of a checkpoint, its weights rounded to float16 as they are shipped.

    Raises:
        error: the weights are not those of the architecture.
    """
    rounded = {name: value.half() for name, value in state["average"].items()}
    return assemble(build, state["settings"]["architecture"], rounded, "the checkpoint", error)


def moments(
    optimiser: torch.optim.Optimizer, found: Any, where: str, error: type[Exception]
) -> dict[str, Any]:
    """The state that ``optimiser`` is to take, of ``found`` in a checkpoint: what it remembers of each
    weight, and nothing of how it steps.

    Raises:
        error: that is of other weights.
    """
    state = found.get("state") if isinstance(found, Mapping) else None
    weights = [weights for group in optimiser.param_groups for weights in group["params"]]
    if not isinstance(state, Mapping) or not all(
        index in range(len(weights)) and _are_of(weights[index], kept) for index, kept in state.items()
    ):
        raise error(f"{where}: what the checkpoint holds of the optimiser is of other weights")
    return {"state": dict(state), "param_groups": optimiser.state_dict()["param_groups"]}


def _are_of(weights: Tensor, kept: Any) -> bool:
    """Whether ``kept`` is what an optimiser remembers of such ``weights``."""
    if not _is_named(kept) or set(kept) != {"step", *MOMENTS}:
        return False
    shapes = {shape_of(weights), *(shape_of(kept[name]) for name in MOMENTS)}
    return len(shapes) == 1 and kept["step"].numel() == 1


def _load(path: Path, error: type[Exception]) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as failure:
        raise error(f"{path}: {failure.strerror or failure}") from failure
    except (
        pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError,
        ArithmeticError, AssertionError, struct.error,
    ) as failure:  # fmt: skip
        raise error(f"{path}: not a file of torch ({type(failure).__name__})") from failure


def _is_document(architecture: Any) -> bool:
    """Whether it is an object as a manifest can hold it."""
    try:
        return isinstance(architecture, dict) and json.dumps(architecture) != ""
    except (TypeError, ValueError, RecursionError):
        return False


def _is_named(tensors: Any) -> bool:
    return isinstance(tensors, Mapping) and all(
        isinstance(name, str) and isinstance(value, Tensor) and _is_plain(value)
        for name, value in tensors.items()
    )


def _is_plain(tensor: Tensor) -> bool:
    """Whether all its numbers lie in the file, and are not a few that count as many."""
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        return False
    return tensor.numel() * tensor.element_size() <= tensor.untyped_storage().nbytes()

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
from torch import Tensor, nn

from exgs.painter.errors import PainterError

MOMENTS = ("exp_avg", "exp_avg_sq")
"""What the optimiser remembers of each weight, in its shape, beside the number of steps."""


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint at ``path``: a step and a progress that make sense, an architecture, and named tensors.
    Whether these are of that architecture is not looked at.

    Raises:
        PainterError: there is none, or it is damaged.
    """
    state = _load(path)
    needed = {"settings", "step", "progress", "network", "average"}
    if not isinstance(state, dict) or not needed <= set(state):
        raise PainterError(f"{path}: not a checkpoint of a painter")
    settings = state["settings"]
    if not isinstance(settings, dict) or not _is_document(settings.get("architecture")):
        raise PainterError(f"{path}: the checkpoint says nothing of its architecture")
    step, progress = state["step"], state["progress"]
    if type(step) is not int or step < 0:
        raise PainterError(f"{path}: a checkpoint of step {str(step)[:40]}, expected a number")
    if not isinstance(progress, int | float) or not 0 <= progress < math.inf:
        raise PainterError(f"{path}: a checkpoint with progress {str(progress)[:40]}, expected 0 to 1")
    for part in ("network", "average"):
        if not _is_named(state[part]):
            raise PainterError(f"{path}: {part} of the checkpoint holds something else than named tensors")
    return state


def read_tensors(path: Path) -> dict[str, Tensor]:
    """The named tensors of a ``.pth`` file.

    Raises:
        PainterError: there is none, or it holds something else.
    """
    state = _load(path)
    if not _is_named(state):
        raise PainterError(f"{path}: not a file of named tensors")
    return dict(state)


def check_weights(network: nn.Module, found: Mapping[str, Tensor], where: str) -> None:
    """Whether ``found`` are weights of ``network``, which may be on the meta device.

    Raises:
        PainterError: they are not: which is the first that differs.
    """
    wanted = network.state_dict()
    for name in sorted(wanted.keys() | found.keys()):
        here, there = (_shape(tensors.get(name)) for tensors in (wanted, found))
        if here != there:
            raise PainterError(f"{where}: {name[:80]} is {there}, its architecture says {here}")


def moments(optimiser: torch.optim.Optimizer, found: Any, where: str) -> dict[str, Any]:
    """The state that ``optimiser`` is to take, of ``found`` in a checkpoint: what it remembers of each
    weight, and nothing of how it steps.

    Raises:
        PainterError: that is of other weights.
    """
    error = PainterError(f"{where}: what the checkpoint holds of the optimiser is of other weights")
    state = found.get("state") if isinstance(found, Mapping) else None
    weights = [weights for group in optimiser.param_groups for weights in group["params"]]
    if not isinstance(state, Mapping) or not set(state) <= set(range(len(weights))):
        raise error
    for index, kept in state.items():
        if not _is_named(kept) or set(kept) != {"step", *MOMENTS}:
            raise error
        shapes = {_shape(weights[index]), *(_shape(kept[name]) for name in MOMENTS)}
        if len(shapes) > 1 or kept["step"].numel() != 1:
            raise error
    return {"state": dict(state), "param_groups": optimiser.state_dict()["param_groups"]}


def _load(path: Path) -> Any:
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise PainterError(f"{path}: {error.strerror or error}") from error
    except (
        pickle.UnpicklingError, RuntimeError, EOFError, LookupError, ValueError, TypeError, AttributeError,
        ArithmeticError, AssertionError, struct.error,
    ) as error:  # fmt: skip
        raise PainterError(f"{path}: not a file of torch ({type(error).__name__})") from error


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


def _shape(tensor: Tensor | None) -> str:
    """How a tensor is told from those that are no weights of that shape."""
    if tensor is None:
        return "nothing"
    return f"{list(tensor.shape)}{'' if tensor.is_floating_point() else f' {tensor.dtype}'}"

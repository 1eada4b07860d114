"""A larger network that begins where a smaller one has come to.

After Net2Net (Chen, Goodfellow and Shlens, ICLR 2016, arXiv 1511.05641): the larger one computes the same at
first, so that what was learnt is not learnt again. Channels are not doubled as there, though: new ones begin
at random, and what was there before does not listen to them yet; new blocks begin by adding nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from exgs.painter.architecture import check_architecture
from exgs.painter.errors import PainterError
from exgs.painter.networks import Painter, build
from exgs.painter.planes import FEWEST


def grown(trained: Mapping[str, Any], network: Painter, larger: Mapping[str, Any], *, seed: int) -> Painter:
    """A network of the architecture ``larger`` that gives what ``network`` of ``trained`` gives.

    ``seed`` is that of the new channels.

    Raises:
        PainterError: the one cannot come of the other: which numbers stand against it.
    """
    check_growth(trained, larger)
    if dict(trained) == dict(larger):
        return network
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        wide, weights = build(larger), network.state_dict()
    wide.load_state_dict(
        {
            name: _widened(weights[name], fresh) if name in weights else torch.zeros_like(fresh)
            for name, fresh in wide.state_dict().items()
        }
    )
    return wide


def _widened(old: Tensor, fresh: Tensor) -> Tensor:
    """``fresh`` weights [O,I,...] or biases [O], whose first outputs are those of ``old``, and hear of its
    inputs only."""
    wide = fresh.clone()
    if old.dim() == 1:
        wide[: len(old)] = old
        return wide
    outputs, inputs = old.shape[:2]
    wide[:outputs, inputs:] = 0
    wide[:outputs, :inputs] = old
    return wide


def check_growth(trained: object, larger: Mapping[str, Any]) -> None:
    """Whether a network of the architecture ``larger`` holds one of ``trained``, as a manifest says it.

    Raises:
        PainterError: it does not: which numbers stand against it, or that ``trained`` is no architecture.
    """
    if not isinstance(trained, Mapping):
        raise PainterError("the weights say nothing of their architecture")
    check_architecture(trained)
    if dict(trained) == dict(larger):
        return
    kinds = {str(architecture["kind"]) for architecture in (trained, larger)}
    if kinds != {"pixels"}:
        raise PainterError(f"only networks of pixels grow, found {' and '.join(sorted(kinds))}")
    for name, usual in (("planes", FEWEST), ("fill", False)):
        before, after = (architecture.get(name, usual) for architecture in (trained, larger))
        if before != after:
            raise PainterError(f"{name} {after}: expected {before}, as of the weights")
    for name in ("widths", "blocks"):
        was, becomes = list(trained.get(name, [])), list(larger[name])
        if len(was) != len(becomes) or any(b > a for b, a in zip(was, becomes, strict=True)):
            raise PainterError(f"{name} {becomes}: expected as many numbers as {was}, and none smaller")
    reaches, further = (list(a.get("reaches") or [1] * a["blocks"][-1]) for a in (trained, larger))
    if further[: len(reaches)] != reaches:
        raise PainterError(f"reaches {further}: expected {reaches} first, as of the weights")

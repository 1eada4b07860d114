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

from exgs.painter.errors import PainterError
from exgs.painter.networks import Painter, build

_LISTS = ("widths", "blocks")


def grown(trained: Mapping[str, Any], network: Painter, larger: Mapping[str, Any]) -> Painter:
    """A network of the architecture ``larger`` that gives what ``network`` of ``trained`` gives.

    Raises:
        PainterError: the one cannot come of the other: which numbers stand against it.
    """
    _check(trained, larger)
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


def _check(trained: Mapping[str, Any], larger: Mapping[str, Any]) -> None:
    """Refuses what does not hold the other."""
    kinds = {str(architecture.get("kind")) for architecture in (trained, larger)}
    if kinds != {"pixels"}:
        raise PainterError(f"only networks of pixels grow, found {' and '.join(sorted(kinds))}")
    for name in ("planes", "fill"):
        if trained.get(name) != larger.get(name):
            raise PainterError(f"{name} {larger.get(name)}: expected {trained.get(name)}, as of the weights")
    for name in _LISTS:
        before, after = list(trained[name]), list(larger[name])
        if len(before) != len(after) or any(b > a for b, a in zip(before, after, strict=True)):
            raise PainterError(f"{name} {after}: expected as many numbers as {before}, and none smaller")
    before, after = (a.get("reaches") or [1] * a["blocks"][-1] for a in (trained, larger))
    if after[: len(before)] != before:
        raise PainterError(f"reaches {after}: expected {before} first, as of the weights")

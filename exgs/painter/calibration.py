"""Closes a network's gates as far as it takes to make no kind of picture worse.

Judged on views that are held back from training, never on scenes that are held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from exgs.painter.damage import SOURCE
from exgs.painter.losses import flip
from exgs.painter.networks import Painter
from exgs.painter.shards import Pairs
from exgs.painter.validation import held_back_pairs, psnr

BIASES = (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0)
"""How far gates are closed, in units of their logits: what is tried, in turn."""
LOSS_DB, LOSS_FLIP = 0.02, 0.005
"""How much worse the mean of a kind may become: in dB, and as a share of its FLIP error."""


@dataclass(frozen=True)
class Choice:
    """How far gates are closed, and why."""

    bias: float
    """What is taken off the logits of the gates."""
    worst_db: float
    """The gain of the kind that gains least, in dB."""
    worst_flip: float
    """Share of the FLIP error that is gone, of the kind where that is least."""

    @property
    def harmless(self) -> bool:
        """Whether no kind becomes worse."""
        return self.worst_db >= -LOSS_DB and self.worst_flip >= -LOSS_FLIP


def calibrate(network: Painter, pairs: Sequence[Pairs], *, biases: Sequence[float] = BIASES) -> Choice:
    """Closes the gates of ``network`` by the first of ``biases`` that harms no kind, else by the last.

    Pictures of the source itself do not count: their error is nothing, of which there is no share.
    """
    seen = [
        _Seen(kind, planes[:, :3], source, *_given(network, planes))
        for kind, planes, source in held_back_pairs(pairs)
        if SOURCE not in kind
    ]
    choice = Choice(0.0, 0.0, 0.0)
    for bias in biases:
        worst_db = _worst(seen, [_gained_db(picture, bias) for picture in seen])
        harmless = worst_db >= -LOSS_DB
        if harmless or bias == biases[-1]:  # FLIP takes long: only of what may be taken
            choice = Choice(bias, worst_db, _worst(seen, [_gained_flip(picture, bias) for picture in seen]))
            if choice.harmless:
                break
    network.close_gate(choice.bias)
    return choice


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture that was held back, and what the network makes of it; all [1,C,H,W]."""

    kind: str
    color: Tensor
    source: Tensor
    residual: Tensor
    gate: Tensor

    def restored(self, bias: float) -> Tensor:
        """The picture, with gates closed by ``bias``."""
        gate = torch.sigmoid(torch.logit(self.gate, 1e-6) - bias)
        return (self.color + gate * self.residual).clamp(0, 1)


def _gained_db(seen: _Seen, bias: float) -> float:
    return psnr(seen.restored(bias), seen.source) - psnr(seen.color, seen.source)


def _gained_flip(seen: _Seen, bias: float) -> float:
    """Share of the FLIP error that is gone."""
    before, after = (flip(picture, seen.source).mean() for picture in (seen.color, seen.restored(bias)))
    return float(1 - after / before.clamp(min=1e-9))


def _worst(seen: list[_Seen], gains: list[float]) -> float:
    """The smallest of the kinds' mean gains."""
    kinds: dict[str, list[float]] = {}
    for picture, gain in zip(seen, gains, strict=True):
        kinds.setdefault(picture.kind, []).append(gain)
    return min((sum(found) / len(found) for found in kinds.values()), default=0.0)


def _given(network: Painter, planes: Tensor) -> tuple[Tensor, Tensor]:
    """[1,3,H,W] residual and [1,1,H,W] gate for ``planes``."""
    was = network.training
    network.train()  # what is clipped has no residual to be had
    with torch.no_grad():
        given = network(planes)
    network.train(was)
    gate = given[:, 3:].clamp(min=1e-6)
    return (given[:, :3] - planes[:, :3]) / gate, gate

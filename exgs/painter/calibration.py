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
    seen = [(kind, planes, source) for kind, planes, source in held_back_pairs(pairs) if SOURCE not in kind]
    given = [_given(network, planes) for _, planes, _ in seen]
    choice = Choice(0.0, 0.0, 0.0)
    for bias in biases:
        choice = _judge(bias, seen, given)
        if choice.harmless:
            break
    network.close_gate(choice.bias)
    return choice


def _judge(bias: float, seen: list[tuple[str, Tensor, Tensor]], given: list[tuple[Tensor, Tensor]]) -> Choice:
    """What closing the gates by ``bias`` comes to."""
    rows: dict[str, list[Tensor]] = {}
    for (kind, planes, source), (residual, gate) in zip(seen, given, strict=True):
        color = planes[:, :3]
        restored = (color + torch.sigmoid(torch.logit(gate, 1e-6) - bias) * residual).clamp(0, 1)
        errors = [flip(picture, source).mean() for picture in (restored, color)]
        gained = psnr(restored, source) - psnr(color, source)
        rows.setdefault(kind, []).append(torch.stack([torch.tensor(gained), *errors]))
    means = torch.stack([torch.stack(found).mean(dim=0) for found in rows.values()])
    shares = 1 - means[:, 1] / means[:, 2].clamp(min=1e-9)
    return Choice(bias, float(means[:, 0].min()), float(shares.min()))


def _given(network: Painter, planes: Tensor) -> tuple[Tensor, Tensor]:
    """[1,3,H,W] residual and [1,1,H,W] gate for ``planes``."""
    was = network.training
    network.train()  # what is clipped has no residual to be had
    with torch.no_grad():
        given = network(planes)
    network.train(was)
    gate = given[:, 3:].clamp(min=1e-6)
    return (given[:, :3] - planes[:, :3]) / gate, gate

"""Closes a network's gates as far as it takes to make no kind of picture worse.

Judged on views that are held back from training, never on scenes that are held out: by the mean of each kind,
and by what the unluckiest in fifty pictures of it lose.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exgs.painter.crops import held_back
from exgs.painter.damage import SOURCE, parse_damage
from exgs.painter.gate import Gate, confidence, hole_share
from exgs.painter.losses import flip
from exgs.painter.networks import Painter
from exgs.painter.planes import RATE_OCTAVES
from exgs.painter.shards import Pairs
from exgs.painter.validation import Chosen, Progress, held_back_count, held_back_pairs, psnr

BIASES = (0.0, 0.25, 0.5, 0.75, 1.0, 2.0, 4.0, 8.0)
"""How far gates are closed, in units of their logits: what is tried."""
BOUNDS = (0.25, 0.12, 0.06, 0.03, 0.02, 0.015, 0.01, 0.007, 0.005, 0.0035, 0.0025)
"""Splats per pixel from which on pictures are left alone: what is tried."""
HOLES = (0.0, 0.05, 0.1, 0.15, 0.25)
"""Shares of holes below which pictures are not restored in full: what is tried."""
CONFIDENCES = (0.0, 0.5, 0.55, 0.6, 0.65, 0.7, 0.8)
"""How sure the network has to be for pictures to be restored in full: what is tried."""
THIN = 4
"""Of so many pixels each way one is looked at while ways are tried."""
LOSS_DB, LOSS_FLIP = 0.05, 0.01
"""How much worse the mean of a kind may become: in dB, and as a share of its FLIP error."""
UNLUCKY, UNLUCKY_DB = 0.02, 0.5
"""So large a share of the pictures of a kind may lose more than this, in dB."""
LIGHT = 100.0
"""Ratio below which a file of ours is a kind of its own: pictures that are nearly right."""
LOOKED, TRIED = 0.5, 0.6
"""Shares of the work that are over when the network has seen all pictures, and when all ways were tried."""
GATES = tuple(Gate(*bounds) for bounds in product(BOUNDS, HOLES, CONFIDENCES))
"""Every bound with every other: what is tried."""


@dataclass(frozen=True)
class Choice:
    """How far gates are closed, and why."""

    bias: float
    """What is taken off the logits of the gates."""
    gate: Gate
    """Which pictures are left alone as a whole."""
    mean_db: float
    """Mean gain of all kinds, in dB."""
    worst_db: float
    """The gain of the kind that gains least, in dB."""
    worst_flip: float
    """Share of the FLIP error that is gone, of the kind where that is least."""
    unlucky_db: float = 0.0
    """What all but the unluckiest pictures of a kind gain at least, in dB, where that is least."""

    @property
    def facts(self) -> dict[str, Any]:
        """What a manifest says of the choice, beside the gate itself."""
        facts = {name: value for name, value in vars(self).items() if name != "gate"}
        return facts | {"harmless": self.harmless}

    @property
    def harmless(self) -> bool:
        """Whether no kind becomes worse, and hardly any picture."""
        kinds = self.worst_db >= -LOSS_DB and self.worst_flip >= -LOSS_FLIP
        return kinds and self.unlucky_db >= -UNLUCKY_DB


def family(kind: str) -> str:
    """The kind that calibration counts a picture of ``kind`` to: ``interior exgs``, ``object ugc light``...

    There are too few pictures of each damage to judge every damage by itself.
    """
    scene, _, name = kind.partition(" ")
    damage = parse_damage(name)
    light = damage.method == "ugc" and damage.ratio / damage.share < LIGHT
    return f"{scene} {damage.method}{' light' if light else ''}"


def calibrate(
    network: Painter,
    pairs: Sequence[Pairs],
    *,
    biases: Sequence[float] = BIASES,
    gates: Sequence[Gate] = GATES,
    chosen: Chosen = held_back,
    progress: Progress = lambda share: None,
) -> Choice:
    """Closes the gates of ``network`` as little as does no harm to any kind of picture.

    Of the ways to do so, the one that gains most; where there is none, the one that closes most. Pictures of
    the source itself do not count: their error is nothing, of which there is no share. ``chosen`` are those
    to go by.
    """
    seen = _looked_at(network, pairs, chosen, _part(progress, 0, LOOKED))
    thin, count, ways = [picture.thinned() for picture in seen], len(biases) * len(gates), list[Choice]()
    for bias in biases:
        opened = [picture.opened(bias) for picture in thin]
        for gate in gates:
            ways.append(_try(thin, opened, bias, gate))
            progress(LOOKED + (TRIED - LOOKED) * len(ways) / count)
    choice = _taken(seen, ways, _part(progress, TRIED, 1))
    network.close_gate(choice.bias)
    return choice


@dataclass(frozen=True, eq=False)
class _Opened:
    """A picture as the network restores it, with a bias on its gate."""

    color: Tensor
    """[1,3,H,W] restored in full."""
    confidence: float
    """How far the gate is open over the holes."""


@dataclass(frozen=True, eq=False)
class _Seen:
    """A picture that was held back, and what the network makes of it."""

    kind: str
    """The ``family`` it counts to."""
    color: Tensor
    """[1,3,H,W] the picture as it is, damaged."""
    source: Tensor
    """[1,3,H,W] what it should be."""
    rate: float
    """Its value of the rate plane: 2^-14 splats per pixel are 0, one is 1."""
    holes: float
    """Share of it that holes take."""
    alpha: Tensor
    """[1,1,H,W] how far the picture is covered."""
    residual: Tensor
    """[1,3,H,W] what the network adds where its gate is open."""
    gate: Tensor
    """[1,1,H,W] how far the gate is open, 0 to 1, before anything closes it."""

    @cached_property
    def damaged_db(self) -> float:
        """PSNR of the picture as it is."""
        return psnr(self.color, self.source)

    @cached_property
    def damaged_flip(self) -> Tensor:
        """[] mean FLIP error of the picture as it is."""
        return flip(self.color, self.source).mean()

    def thinned(self) -> _Seen:
        """One of ``THIN`` pixels each way: enough to choose by."""
        planes = (self.color, self.source, self.alpha, self.residual, self.gate)
        color, source, *others = (plane[:, :, ::THIN, ::THIN].contiguous() for plane in planes)
        return _Seen(self.kind, color, source, self.rate, self.holes, *others)

    def opened(self, bias: float) -> _Opened:
        """The picture, with gates closed by ``bias`` and nothing else."""
        gate = torch.sigmoid(torch.logit(self.gate, 1e-6) - bias)
        sure = confidence(gate[:, 0].numpy(), self.alpha[:, 0].numpy())
        return _Opened((self.color + gate * self.residual).clamp(0, 1), sure)

    def restored(self, opened: _Opened, whole: Gate) -> Tensor:
        """As ``opened``, and closed altogether as far as ``whole`` says."""
        splats_per_pixel = np.array([2 ** (RATE_OCTAVES * (self.rate - 1))])
        share = float(whole.strength(splats_per_pixel)[0] * whole.need(np.array([self.holes]))[0])
        share *= whole.trust(opened.confidence)
        return self.color if share == 0 else self.color + share * (opened.color - self.color)


def _looked_at(network: Painter, pairs: Sequence[Pairs], chosen: Chosen, progress: Progress) -> list[_Seen]:
    """What counts of the pictures that are ``chosen``."""
    seen, count = list[_Seen](), held_back_count(pairs, chosen)
    for number, (kind, planes, source) in enumerate(held_back_pairs(pairs, chosen), start=1):
        if SOURCE not in kind:
            facts = float(planes[0, 5, 0, 0]), float(hole_share(planes[:, 3].numpy())[0]), planes[:, 3:4]
            seen.append(_Seen(family(kind), planes[:, :3], source, *facts, *_given(network, planes)))
        progress(number / count)
    return seen


def _taken(seen: list[_Seen], ways: list[Choice], progress: Progress) -> Choice:
    """Of the harmless ``ways`` the one that gains most and that FLIP finds harmless, too; else the last.

    FLIP takes long: it is asked of one way after the other, each of which is half of what is left to do.
    """
    harmless = sorted((way for way in ways if way.harmless), key=lambda way: -way.mean_db)
    left = 1.0
    for way in [*harmless, ways[-1]]:
        begin, left = 1 - left, left / 2
        choice = replace(way, worst_flip=min(_flip_gains(seen, way, _part(progress, begin, 1 - left))))
        if choice.harmless:
            break
    progress(1.0)
    return choice


def _part(progress: Progress, begin: float, end: float) -> Progress:
    """Takes the progress of a part of the work."""
    return lambda share: progress(begin + (end - begin) * share)


def _try(seen: list[_Seen], opened: list[_Opened], bias: float, gate: Gate) -> Choice:
    """What a way to close gates gains, pictures being ``opened`` by its ``bias``; FLIP is not asked."""
    gains = [
        psnr(picture.restored(found, gate), picture.source) - picture.damaged_db
        for picture, found in zip(seen, opened, strict=True)
    ]
    means = _by_kind(seen, gains, np.mean)
    unlucky = min(_by_kind(seen, gains, _unlucky))
    return Choice(bias, gate, sum(means) / len(means), min(means), 0.0, unlucky)


def _flip_gains(seen: list[_Seen], way: Choice, progress: Progress) -> list[float]:
    """Share of the FLIP error that is gone, for each kind."""
    gains = []
    for number, picture in enumerate(seen, start=1):
        left = flip(picture.restored(picture.opened(way.bias), way.gate), picture.source).mean()
        gains.append(float(1 - left / picture.damaged_flip.clamp(min=1e-9)))
        progress(number / len(seen))
    return _by_kind(seen, gains, np.mean)


def _unlucky(gains: list[float]) -> float:
    """What all but the unluckiest gain at least."""
    return float(np.quantile(gains, UNLUCKY))


def _by_kind(seen: list[_Seen], gains: list[float], measure: Callable[[list[float]], Any]) -> list[float]:
    """The gains of each kind, measured."""
    kinds: dict[str, list[float]] = {}
    for picture, gain in zip(seen, gains, strict=True):
        kinds.setdefault(picture.kind, []).append(gain)
    return [float(measure(found)) for found in kinds.values()] or [0.0]


def _given(network: Painter, planes: Tensor) -> tuple[Tensor, Tensor]:
    """[1,3,H,W] residual and [1,1,H,W] gate for ``planes``."""
    was = network.training
    network.train()  # what is clipped has no residual to be had
    with torch.no_grad():
        given = network(planes)
    network.train(was)
    gate = given[:, 3:].clamp(min=1e-6)
    return (given[:, :3] - planes[:, :3]) / gate, gate

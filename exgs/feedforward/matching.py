"""Depth: every view is swept through a ladder of inverse depths and matched with its nearest views.

What two views show at one depth is compared by the distance of their features, bounded, so that a view which
sees something else there cannot outvote two that agree. A small network then weighs the ladder's steps with
regard to their surroundings and to what the views know of each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exgs.feedforward.cameras import Rig
from exgs.feedforward.encoder import Block
from exgs.feedforward.sweeping import Plan, Sweep, scores

MATCHES = 3
"""Views that each view is matched with."""
GRID = 4
"""Pixels along each side of a position at which depth is sought."""
_WINDOW = 2
"""Steps of the ladder to each side of the likeliest that decide on a depth between steps."""
_SHARPNESS = 25.0
"""What a fresh network multiplies the matches with to get the logits of the steps."""


@dataclass(frozen=True, eq=False)
class Depths:
    """Where the surfaces of A views are, at a quarter of their size."""

    inverse: Tensor
    """[A,1,h,w] inverse depth as a share of the nearest."""
    confidence: Tensor
    """[A,1,h,w] in [0, 1]: how much of all chances lie around that depth."""
    log_chances: Tensor
    """[A,D,h,w] natural logarithm of each step's probability."""
    features: Tensor
    """[A,C,h,w] what the network saw."""


def as_queries(matching: Tensor) -> Tensor:
    """[A,C+2,h,w] whose inner product with ``as_keys`` is the negative squared distance of the features."""
    square = matching.square().sum(1, keepdim=True)
    return torch.cat([2 * matching, -square, -torch.ones_like(square)], dim=1)


def as_keys(matching: Tensor) -> Tensor:
    """[V,C+2,h,w]: see ``as_queries``."""
    square = matching.square().sum(1, keepdim=True)
    return torch.cat([matching, torch.ones_like(square), square], dim=1)


def plan_sweeps(rig: Rig, views: Sequence[int], steps: int, among: Sequence[int] | None = None) -> Plan:
    """Every view of ``views`` against its ``MATCHES`` best neighbours among all of the rig.

    Queries are rows in the order of ``views``, keys rows in the order of ``among`` (None: of the rig).
    """
    everyone = range(len(rig)) if among is None else list(among)
    sweeps = tuple(
        Sweep(row, everyone.index(other), rig.pose(view, other, GRID))
        for row, view in enumerate(views)
        for other in rig.neighbours(view, everyone, MATCHES)
    )
    limit = (rig.size[0] / GRID - 0.5, rig.size[1] / GRID - 0.5)
    return Plan(sweeps, rig.ladder(steps), limit)


def match(matching: Tensor, keys: Tensor, plan: Plan) -> Tensor:
    """[A,2D+1,h,w] of features [A,C,h,w] and ``keys``: mean and best match at each step, and how many saw it.

    Matches are from 0, as unlike as can be, to 1.
    """
    count, _, height, width = matching.shape
    steps = len(plan.ladder)
    if not plan.sweeps:
        return matching.new_zeros((count, 2 * steps + 1, height, width))
    score, seen = scores(as_queries(matching), as_keys(keys), plan)
    alike = seen / (1 + (-score).clamp(min=0))
    total, best, views = [], [], []
    for row in range(count):
        mine = [index for index, one in enumerate(plan.sweeps) if one.query == row]
        some = seen[mine].sum(0)
        total.append(alike[mine].sum(0) / some.clamp(min=1))
        best.append(alike[mine].amax(0))
        views.append(some.float().mean(0, keepdim=True) / MATCHES)
    parts = [torch.stack(total), torch.stack(best), torch.stack(views)]
    return torch.cat(parts, dim=1).contiguous(memory_format=torch.channels_last)


class DepthNetwork(nn.Module):
    """A small U-shaped network that weighs the steps of the ladder."""

    def __init__(self, steps: int, widths: tuple[int, int, int], fine: int) -> None:
        """``widths`` at a quarter, an eighth and a sixteenth; ``fine`` the channels of the encoder's."""
        super().__init__()
        quarter, eighth, deep = widths
        self.steps = steps
        self.enter = nn.Conv2d(2 * steps + 1 + fine, quarter, 3, padding=1)
        self.first = Block(quarter)
        self.down = nn.Conv2d(quarter, eighth, 3, stride=2, padding=1)
        self.known = nn.Conv2d(eighth, eighth, 1)
        self.second = Block(eighth)
        self.deeper = nn.Conv2d(eighth, deep, 3, stride=2, padding=1)
        self.third = Block(deep)
        self.rise = nn.Conv2d(deep, eighth, 1)
        self.fourth = Block(eighth)
        self.up = nn.Conv2d(eighth, quarter, 1)
        self.fifth = Block(quarter)
        self.change = nn.Conv2d(quarter, steps, 1)
        self.sharpness = nn.Parameter(torch.tensor(_SHARPNESS))
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    def forward(self, matches: Tensor, fine: Tensor, known: Tensor, ladder: Tensor) -> Depths:
        """Depths of what ``match`` gave, with ``fine`` features and what the views ``known`` [A,C,h/2,w/2]."""
        x = self.first(self.enter(torch.cat([matches, fine], dim=1)))
        y = self.second(self.down(F.leaky_relu(x, 0.1)) + self.known(known))
        z = self.third(self.deeper(F.leaky_relu(y, 0.1)))
        y = self.fourth(y + F.interpolate(self.rise(z), scale_factor=2.0, mode="nearest"))
        x = self.fifth(x + F.interpolate(self.up(y), scale_factor=2.0, mode="nearest"))
        log_chances = F.log_softmax(self.sharpness * calm(matches[:, : self.steps]) + self.change(x), dim=1)
        inverse, confidence = around_likeliest(log_chances.exp(), ladder)
        return Depths(inverse, confidence, log_chances, x)


def calm(matches: Tensor) -> Tensor:
    """Means over 3 x 3 positions, two times over: single pixels match by chance."""
    for _ in range(2):
        matches = F.avg_pool2d(F.pad(matches, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return matches


def around_likeliest(chances: Tensor, ladder: Tensor) -> tuple[Tensor, Tensor]:
    """[A,1,h,w] expected value of ``ladder`` [D] around the likeliest step, and all chances there."""
    steps = len(ladder)
    middle = chances.detach().argmax(1, keepdim=True).clamp(_WINDOW, steps - 1 - _WINDOW)
    index = torch.cat([middle + offset for offset in range(-_WINDOW, _WINDOW + 1)], dim=1)
    near = chances.gather(1, index)
    mass = near.sum(1, keepdim=True)
    return (near * ladder[index]).sum(1, keepdim=True) / mass.clamp(min=1e-6), mass

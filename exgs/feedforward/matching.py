"""Depth: every view is swept through a ladder of inverse depths and matched with its nearest views.

What two views show at one depth is compared by the distance of their features, bounded, so that a view which
sees something else there cannot outvote two that agree. A small network then weighs the ladder's steps with
regard to their surroundings and to what the views know of each other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exgs.feedforward.cameras import Rig, tensor
from exgs.feedforward.encoder import Block
from exgs.feedforward.sweeping import Plan, Sweep, scores

MATCHES = 4
"""Views that each view is matched with."""
GRID = 4
"""Pixels along each side of a position at which depth is sought."""
SUBSTEP_PX, MOST_PARTS = 0.75, 4
"""How far, in positions, a match may move from one part of a step to the next, and the most parts."""
_WINDOW = 2
"""Steps of the ladder to each side of the likeliest that decide on a depth between steps."""
_SHARPNESS = 40.0
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
    matches: Tensor
    """[A,2,h,w] mean and best match at the likeliest step."""


def plan_sweeps(rig: Rig, views: Sequence[int], steps: int) -> Plan:
    """Every view of ``views`` against its ``MATCHES`` best neighbours among all of the rig.

    Queries are rows in the order of ``views``, keys all views. Where a step would take a match farther than
    ``SUBSTEP_PX`` positions it is cut, all steps into the same number of parts.
    """
    sweeps = tuple(
        Sweep(row, other, rig.pose(view, other, GRID))
        for row, view in enumerate(views)
        for other in rig.neighbours(view, range(len(rig)), MATCHES)
    )
    limit = (rig.size[0] / GRID - 0.5, rig.size[1] / GRID - 0.5)
    farthest = max((rig.parallax(views[one.query], one.key) for one in sweeps), default=0.0) / GRID
    parts = min(max(math.ceil(farthest / steps / SUBSTEP_PX), 1), MOST_PARTS)
    return Plan(sweeps, rig.ladder(steps * parts), limit)


def match(matching: Tensor, keys: Tensor, plan: Plan, steps: int) -> tuple[Tensor, Tensor]:
    """How well views [A,C,h,w] and ``keys`` [V,C,h,w] match, [A,2D+1,h,w], and inverse depths [A,D,h,w].

    For each of the ladder's D steps, or its best part, there are the mean and the best match, from 0, as
    unlike as can be, to 1; then how many views saw it at all.
    """
    count, _, height, width = matching.shape
    ladder = tensor(plan.ladder, matching)
    if not plan.sweeps:
        even = ladder.unflatten(0, (steps, -1)).mean(1)[None, :, None, None].expand(count, -1, height, width)
        return matching.new_zeros((count, 2 * steps + 1, height, width)), even
    score, seen = scores(matching, keys, plan)
    alike = seen / (1 + (-score).clamp(min=0))
    rows = [_summed(alike, seen, plan.rows(row), steps) for row in range(count)]
    mean, best, views, part = (torch.stack(column) for column in zip(*rows, strict=True))
    found = torch.cat([mean, best, views], dim=1).contiguous(memory_format=torch.channels_last)
    first = torch.arange(0, len(ladder), len(ladder) // steps, device=part.device)
    return found, ladder[part + first[:, None, None]]


def _summed(alike: Tensor, seen: Tensor, mine: list[int], steps: int) -> tuple[Tensor, ...]:
    """Mean and best match [D,h,w] of one view's sweeps, how many saw it [1,h,w], the parts taken."""
    some = seen[mine].sum(0)
    mean = (alike[mine].sum(0) / some.clamp(min=1)).unflatten(0, (steps, -1))
    best = alike[mine].amax(0).unflatten(0, (steps, -1)).amax(1)
    mean, part = mean.max(1) if mean.shape[1] > 1 else (mean[:, 0], torch.zeros_like(best, dtype=torch.long))
    return mean, best, some.float().mean(0, keepdim=True) / MATCHES, part


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

    def forward(self, matches: Tensor, ladder: Tensor, fine: Tensor, known: Tensor) -> Depths:
        """Depths of what ``match`` gave, with ``fine`` features and what the views know, [A,C,h/2,w/2]."""
        x = self.first(self.enter(torch.cat([matches, fine], dim=1)))
        y = self.second(self.down(F.leaky_relu(x, 0.1)) + self.known(known))
        z = self.third(self.deeper(F.leaky_relu(y, 0.1)))
        y = self.fourth(y + F.interpolate(self.rise(z), scale_factor=2.0, mode="nearest"))
        x = self.fifth(x + F.interpolate(self.up(y), scale_factor=2.0, mode="nearest"))
        log_chances = F.log_softmax(self.sharpness * calm(matches[:, : self.steps]) + self.change(x), dim=1)
        inverse, confidence, likeliest = around_likeliest(log_chances.exp(), ladder)
        agreed = [part.gather(1, likeliest) for part in matches[:, :-1].split(self.steps, dim=1)]
        return Depths(inverse, confidence, log_chances, x, torch.cat(agreed, dim=1))


def calm(matches: Tensor) -> Tensor:
    """Means over 3 x 3 positions, two times over: single pixels match by chance."""
    for _ in range(2):
        matches = F.avg_pool2d(F.pad(matches, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    return matches


def around_likeliest(chances: Tensor, ladder: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """[A,1,h,w] each: mean of ``ladder`` [A,D,h,w] around the likeliest step, chances there, that step."""
    steps = chances.shape[1]
    likeliest = chances.detach().argmax(1, keepdim=True)
    middle = likeliest.clamp(_WINDOW, steps - 1 - _WINDOW)
    index = torch.cat([middle + offset for offset in range(-_WINDOW, _WINDOW + 1)], dim=1)
    near = chances.gather(1, index)
    mass = near.sum(1, keepdim=True)
    return (near * ladder.gather(1, index)).sum(1, keepdim=True) / mass.clamp(min=1e-6), mass, likeliest

"""The picture encoder: what a view looks like at a quarter and at an eighth of its size.

Every view is encoded by itself, so that views can be encoded one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEARNT = 21
"""Channels for matching that the encoder learns; with colours and their gradients there are 30."""
MATCHED = 3 + 6 + LEARNT
STRIDE = 16
"""Sides of the pictures that the networks see are multiples of this."""
_COLOUR_GAIN, _GRADIENT_GAIN = 4.0, 8.0
"""Difference of colours, and of their gradients, that separates one surface from another, inverted."""
_FRESH = 0.5
"""Length of the learnt channels before any training: they are to disturb little."""


@dataclass(frozen=True, eq=False)
class Encoded:
    """Features of V views."""

    matching: Tensor
    """[V,MATCHED,h/4,w/4]: where two views show one point they are to be equal."""
    fine: Tensor
    """[V,C,h/4,w/4]."""
    wide: Tensor
    """[V,C,h/8,w/8] what tokens are made of."""


def padded(pictures: Tensor) -> Tensor:
    """``pictures`` [V,3,H,W] with their last rows and columns repeated up to sides of whole strides."""
    right, below = (-pictures.shape[3]) % STRIDE, (-pictures.shape[2]) % STRIDE
    return F.pad(pictures, (0, right, 0, below), mode="replicate") if right or below else pictures


def appearance(pictures: Tensor) -> Tensor:
    """[V,9,h/4,w/4] low-passed colours and their gradients, with which even a fresh network can match."""
    colours = F.avg_pool2d(pictures, 4)
    around = F.pad(colours, (1, 1, 1, 1), mode="replicate")
    across = (around[:, :, 1:-1, 2:] - around[:, :, 1:-1, :-2]) / 2
    down = (around[:, :, 2:, 1:-1] - around[:, :, :-2, 1:-1]) / 2
    return torch.cat([_COLOUR_GAIN * colours, _GRADIENT_GAIN * across, _GRADIENT_GAIN * down], dim=1)


class Block(nn.Module):
    """Looks at the neighbours of each position and adds what it finds."""

    def __init__(self, width: int, groups: int = 8) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=1)
        self.norm = nn.GroupNorm(groups, width)
        self.second = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,H,W] in and out."""
        return x + self.second(F.leaky_relu(self.norm(self.first(x)), 0.1))


class Encoder(nn.Module):
    """Pictures to features; ``fine`` and ``wide`` are the channels at a quarter and at an eighth."""

    def __init__(self, fine: int, wide: int, blocks: int) -> None:
        super().__init__()
        half = max(16, fine // 2)
        self.stem = nn.Conv2d(12, half, 3, padding=1)
        self.quarter = nn.Conv2d(half, fine, 3, stride=2, padding=1)
        self.near = nn.Sequential(*(Block(fine) for _ in range(blocks)))
        self.eighth = nn.Conv2d(fine, wide, 3, stride=2, padding=1)
        self.far = nn.Sequential(*(Block(wide) for _ in range(blocks)), nn.GroupNorm(8, wide))
        self.back = nn.Conv2d(wide, fine, 1)
        self.join = Block(fine)
        self.match = nn.Conv2d(fine, LEARNT, 1, bias=False)
        self.length = nn.Parameter(torch.tensor(_FRESH))

    def forward(self, pictures: Tensor) -> Encoded:
        """Features of ``pictures`` [V,3,H,W] in [0, 1], whose sides are multiples of ``STRIDE``."""
        x = F.pixel_unshuffle(2 * pictures - 1, 2).contiguous(memory_format=torch.channels_last)
        x = self.near(self.quarter(F.leaky_relu(self.stem(x), 0.1)))
        wide = self.far(self.eighth(F.leaky_relu(x, 0.1)))
        fine = self.join(x + F.interpolate(self.back(wide), scale_factor=2.0, mode="nearest"))
        learnt = self.length * F.normalize(self.match(fine), dim=1)
        return Encoded(torch.cat([appearance(pictures), learnt], dim=1), fine, wide)

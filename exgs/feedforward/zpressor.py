"""ZPressor: gathers what many views saw into few anchors.

Six blocks; in each, an anchor's tokens look at those of its supports, then at each other, then each goes
through two layers. Only the anchors go on, so that whatever follows grows with their number alone.
Source: ZPressor, arXiv 2505.23734; what differs is in docs/decisions/0019.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exgs.feedforward.cameras import Rig

_OCTAVES = 4
_RAY = 3 + 3 + 6 * _OCTAVES
"""Numbers that tell where a token looks: direction, moment, and waves of the direction."""
_FRESH = 0.1
"""What a layer adds before any training: a fresh pressor passes its tokens nearly as they are."""


def rays(rig: Rig, view: int, anchor: int, stride: int, shape: tuple[int, int]) -> Tensor:
    """[h,w,30] Pluecker rays of ``view`` as seen from ``anchor``, with moments as parallaxes; and waves.

    A moment is the cross product of the view's place and its ray; places count in middle depths.
    """
    matrix = rig.between(view, anchor)
    turn = torch.from_numpy(matrix[:3, :3]).float()
    place = torch.from_numpy(matrix[:3, 3] * rig.middle).float()
    direction = F.normalize(rig.slopes(view, stride, shape), dim=-1) @ turn.T
    moment = torch.linalg.cross(place.expand_as(direction), direction, dim=-1)
    angles = direction[..., None] * (np.pi * 2.0 ** torch.arange(_OCTAVES))
    return torch.cat([direction, moment, angles.sin().flatten(-2), angles.cos().flatten(-2)], dim=-1)


class Attention(nn.Module):
    """Tokens look at others; what they find is added by the caller."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.ask = nn.Linear(width, width)
        self.offer = nn.Linear(width, 2 * width)
        self.give = nn.Linear(width, width)
        with torch.no_grad():
            self.give.weight.mul_(_FRESH)
            self.give.bias.zero_()

    def forward(self, tokens: Tensor, others: Tensor) -> Tensor:
        """[B,N,C] what ``tokens`` [B,N,C] find in ``others`` [B,M,C]."""
        query = self._split(self.ask(tokens))
        key, value = (self._split(part) for part in self.offer(others).chunk(2, dim=-1))
        return self.give(F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2))

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Gather(nn.Module):
    """One block, pre-norm: look at others, look at each other, think."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(4))
        self.across = Attention(width, heads)
        self.within = Attention(width, heads)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))
        with torch.no_grad():
            self.think[2].weight.mul_(_FRESH)
            self.think[2].bias.zero_()

    def forward(self, tokens: Tensor, others: Tensor | None, shape: tuple[int, int]) -> Tensor:
        """[B,N,C] of ``tokens`` [B,N,C], a grid of ``shape``, and of ``others`` [B,M,C] they look at, if any."""
        if others is not None:
            tokens = tokens + self.across(self.norms[0](tokens), self.norms[1](others))
        calm = self.norms[2](tokens)
        tokens = tokens + self.within(calm, pooled(calm, shape))
        return tokens + self.think(self.norms[3](tokens))


def pooled(tokens: Tensor, shape: tuple[int, int]) -> Tensor:
    """[B,N/4,C] means over 2 x 2 of ``tokens`` [B,N,C], a grid of ``shape`` (h, w)."""
    batch, _, width = tokens.shape
    return tokens.reshape(batch, shape[0] // 2, 2, shape[1] // 2, 2, width).mean(dim=(2, 4)).flatten(1, 2)


class Exchange(nn.Module):
    """Blocks in which every view of some looks at a few others, told where those look from.

    ZPressor is this with anchors and their supports; the multi-view part behind it with anchors and anchors.
    """

    def __init__(self, width: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.place = nn.Sequential(nn.Linear(_RAY, width), nn.GELU(), nn.Linear(width, width))
        self.blocks = nn.ModuleList(Gather(width, heads) for _ in range(blocks))

    def forward(self, tokens: Tensor, others: Tensor | None, sights: Sequence[Tensor]) -> Tensor:
        """[C,h,w] of one view's ``tokens`` [C,h,w] and ``others``' [S,M,C], pooled already.

        ``sights`` are the rays of the view itself [h,w,30], and those of the others [S,h/2,w/2,30].
        """
        width, *shape = tokens.shape
        grid = (shape[0], shape[1])
        x = (tokens.flatten(1).T + self.place(sights[0]).flatten(0, 1))[None]
        found = None
        if others is not None:
            found = (others + self.place(sights[1]).flatten(1, 2)).reshape(1, -1, width)
        for block in self.blocks:
            x = block(x, found, grid)
        return x[0].T.unflatten(1, grid)

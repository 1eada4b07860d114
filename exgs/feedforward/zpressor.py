"""ZPressor: gathers what many views saw into few anchors.

Six blocks; in each, an anchor's tokens look at those of its supports, then at each other, then each goes
through two layers. Only the anchors go on, so that whatever follows grows with their number alone.
Source: ZPressor, arXiv 2505.23734; what differs is in docs/decisions/0019.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pad_sequence

from exgs.feedforward.cameras import Rig, tensor

TOKEN = 8
"""Pixels along each side of what one token stands for; other views look at one for 2 x 2 of them."""
_OCTAVES = 4
_RAY = 3 + 3 + 6 * _OCTAVES
"""Numbers that tell where a token looks: direction, moment, and waves of the direction."""
_FRESH = 0.1
"""What a layer adds before any training: a fresh pressor passes its tokens nearly as they are."""


def rays(rig: Rig, view: int, others: Sequence[int], stride: int, like: Tensor) -> Tensor:
    """[S,h*w,30] Pluecker rays of ``others``, on grids as of ``like`` [...,h,w], from ``view``; and waves.

    A moment is the cross product of the other's place and its ray; places count in middle depths.
    """
    matrices = np.stack([rig.between(other, view) for other in others])
    turns, places = tensor(matrices[:, :3, :3], like), tensor(matrices[:, :3, 3] * rig.middle, like)
    shape = (like.shape[-2], like.shape[-1])
    slopes = torch.stack([rig.slopes(other, stride, shape) for other in others]).to(like.device)
    direction = torch.einsum("sij,snj->sni", turns, F.normalize(slopes, dim=-1).flatten(1, 2))
    moment = torch.linalg.cross(places[:, None].expand_as(direction), direction, dim=-1)
    octaves = np.pi * 2.0 ** torch.arange(_OCTAVES, device=like.device)
    angles = (direction[..., None] * octaves).flatten(-2)
    return torch.cat([direction, moment, angles.sin(), angles.cos()], dim=-1)


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

    def forward(self, tokens: Tensor, others: Tensor, mask: Tensor | None = None) -> Tensor:
        """[B,N,C] what ``tokens`` [B,N,C] find in ``others`` [B,M,C] where ``mask`` [B,1,1,M] lets them."""
        query = self._split(self.ask(tokens))
        key, value = (self._split(part) for part in self.offer(others).chunk(2, dim=-1))
        found = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        return self.give(found.transpose(1, 2).flatten(2))

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

    def forward(self, tokens: Tensor, others: Tensor, mask: Tensor, shape: tuple[int, int]) -> Tensor:
        """[B,N,C] of ``tokens`` [B,N,C], a grid of ``shape``, and ``others`` [B,M,C] as ``mask`` lets."""
        tokens = tokens + self.across(self.norms[0](tokens), self.norms[1](others), mask)
        calm = self.norms[2](tokens)
        tokens = tokens + self.within(calm, pooled(calm, shape))
        return tokens + self.think(self.norms[3](tokens))


def pooled(tokens: Tensor, shape: tuple[int, int]) -> Tensor:
    """[B,N/4,C] means over 2 x 2 of ``tokens`` [B,N,C], a grid of ``shape`` (h, w)."""
    batch, _, width = tokens.shape
    return tokens.reshape(batch, shape[0] // 2, 2, shape[1] // 2, 2, width).mean(dim=(2, 4)).flatten(1, 2)


def crowd(tokens: Tensor) -> Tensor:
    """[V,C,h/2,w/2] of ``tokens`` [V,C,h,w]: what other views look at."""
    return F.avg_pool2d(tokens, 2)


class Exchange(nn.Module):
    """Blocks in which every view of some looks at a few others, told where those look from.

    ZPressor is this with anchors and their supports; the multi-view part behind it with anchors and anchors.
    Beside what others know there is always one token that stands for nothing, for views that nobody supports
    and for places that nobody else sees.
    """

    def __init__(self, width: int, heads: int, blocks: int) -> None:
        super().__init__()
        self.place = nn.Sequential(nn.Linear(_RAY, width), nn.GELU(), nn.Linear(width, width))
        self.nothing = nn.Parameter(torch.zeros(1, width))
        self.blocks = nn.ModuleList(Gather(width, heads) for _ in range(blocks))

    def forward(
        self,
        rig: Rig,
        views: Sequence[int],
        supports: Sequence[Sequence[int]],
        tokens: Tensor,
        others: Mapping[int, Tensor],
    ) -> Tensor:
        """[A,C,h,w] of the ``tokens`` [A,C,h,w] of ``views``, each with its ``supports``.

        ``others`` [C,h/2,w/2] is what ``crowd`` gives of those supports.
        """
        shape = (tokens.shape[2], tokens.shape[3])
        places = torch.cat([rays(rig, view, [view], TOKEN, tokens) for view in views])
        x = tokens.flatten(2).transpose(1, 2) + self.place(places)
        rows = [self._offered(rig, view, mine, others) for view, mine in zip(views, supports, strict=True)]
        found = pad_sequence(rows, batch_first=True)
        counts = torch.tensor([len(row) for row in rows], device=found.device)
        mask = torch.arange(found.shape[1], device=found.device) < counts[:, None]
        for block in self.blocks:
            x = block(x, found, mask[:, None, None], shape)
        return x.transpose(1, 2).unflatten(2, shape).contiguous(memory_format=torch.channels_last)

    def _offered(self, rig: Rig, view: int, supports: Sequence[int], others: Mapping[int, Tensor]) -> Tensor:
        """[M,C] what one view looks at."""
        if not supports:
            return self.nothing
        grids = torch.stack([others[support] for support in supports]).to(self.nothing.dtype)
        known = grids.flatten(2).transpose(1, 2) + self.place(rays(rig, view, supports, 2 * TOKEN, grids))
        return torch.cat([self.nothing, known.flatten(0, 1)])

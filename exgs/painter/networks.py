"""The network of ``tiny``: works on blocks of pixels, with a gate of its own.

Only this module, ``latent``, ``losses``, ``training``, ``calibration`` and ``export`` import torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exgs.painter.errors import PainterError
from exgs.painter.planes import PLANES

ARCHITECTURES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "tiny": {"kind": "pixels", "widths": [40, 32, 32], "blocks": [2, 1, 1]},
        "small": {"kind": "latent", "vae_widths": [24, 32, 48, 48], "unet_widths": [96, 160]},
        "base": {"kind": "latent", "vae_widths": [64, 64, 64, 64], "unet_widths": [192, 320]},
    }
)  # fmt: skip
"""What the sizes are called, and what ``build`` makes of them."""
BLOCK = 4
"""Pixels along each side of a block that becomes one position of the network."""
LEAK = 0.1
"""Slope of the nonlinearity below nothing."""
LEAST_COVERED, AMPLY_COVERED = 0.3, 0.45
"""Mean alpha up to which a picture is left alone, and from which on it is not."""
_WHOLE = 0.05
"""Alpha below which what little is seen of a surface is not scaled up to its whole colour."""


class Painter(nn.Module, ABC):
    """A network that takes planes [B,6,H,W] and gives restored colours and gate [B,4,H,W]."""

    def learn(self, planes: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """What it gives for ``planes``, and a loss of its own against clean pictures ``source`` [B,3,H,W]."""
        return self(planes), source.new_zeros(())

    @property
    @abstractmethod
    def gate_bias(self) -> nn.Parameter:
        """What is added to the logits of the gate everywhere."""

    def close_gate(self, bias: float) -> None:
        """Takes ``bias`` off the logits of the gate everywhere."""
        with torch.no_grad():
            self.gate_bias.sub_(bias)

    def use_autoencoder(self, encoder: Path, decoder: Path | None = None) -> None:
        """Takes a pretrained autoencoder.

        Raises:
            PainterError: the network works without one, or the files do not fit.
        """
        raise PainterError(f"{encoder}: this network has no autoencoder")


def build(architecture: Mapping[str, Any]) -> Painter:
    """The network that ``architecture`` of a manifest describes, with random weights.

    Raises:
        PainterError: there is no such architecture.
    """
    options = dict(architecture)
    kind = options.pop("kind", None)
    try:
        if kind == "pixels":
            return PixelPainter(**options)
        if kind == "latent":
            from exgs.painter.latent import LatentPainter

            return LatentPainter(**options)
    except TypeError as error:
        raise PainterError(f"architecture {kind}: {error}") from error
    raise PainterError(f"architecture {kind!r}: expected pixels or latent")


def parameters(network: nn.Module) -> int:
    """How many numbers the network has learnt."""
    return sum(weights.numel() for weights in network.parameters())


class PixelPainter(Painter):
    """A small U-shaped network over blocks of 4 x 4 pixels.

    It begins with residuals of nothing and gates half open: gates that begin closed, before residuals that
    begin at random, never open.

    Planes [B,6,H,W] in, restored colours and gate [B,4,H,W] out; H and W are multiples of 16. The answer is
    the input plus gate times residual, so that pixels which are right already pass at full resolution.
    """

    def __init__(self, widths: list[int], blocks: list[int]) -> None:
        """``widths`` are the channels at a quarter, an eighth and a sixteenth of the picture's size;
        ``blocks`` the residual blocks at each of them, on the way down."""
        super().__init__()
        self.pixels = nn.Conv2d(4, widths[0], BLOCK, stride=BLOCK)
        self.context = nn.Conv2d(5, widths[0], 1, bias=False)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(count)))
            for width, count in zip(widths, blocks, strict=True)
        )
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.join = nn.ModuleList(Block(width) for width in widths[:-1])
        self.residual = nn.Conv2d(widths[0], 3 * BLOCK**2, 1)
        self.gate = nn.Conv2d(widths[0], BLOCK**2, 1)
        for head in (self.residual, self.gate):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, planes: Tensor) -> Tensor:
        """Restored colours and gate [B,4,H,W] of ``planes`` [B,6,H,W]; clipped unless in training."""
        if planes.shape[1] != len(PLANES):
            raise ValueError(f"expected {len(PLANES)} planes, found {planes.shape[1]}")
        x = bend(self.pixels(planes[:, :4]) + self.context(_context(planes)))
        skips = []
        for stage, down in zip(self.stages[:-1], self.down, strict=True):
            x = stage(x)
            skips.append(x)
            x = bend(down(x))
        x = self.stages[-1](x)
        for up, join, skip in zip(reversed(self.up), reversed(self.join), reversed(skips), strict=True):
            x = join(bend(skip + F.interpolate(up(x), scale_factor=2.0, mode="nearest")))
        return blended(
            planes[:, :3],
            F.pixel_shuffle(self.residual(x), BLOCK),
            torch.sigmoid(F.pixel_shuffle(self.gate(x), BLOCK)) * surrounded(planes),
            clip=not self.training,
        )

    @property
    def gate_bias(self) -> nn.Parameter:
        """That of the gate's only layer."""
        return self.gate.bias


def _context(planes: Tensor) -> Tensor:
    """[B,5,H/4,W/4] means over blocks: disparity, rate, and the colour of the surface in the 16 x 16 pixels
    around, which is what a hole in it most likely hides."""
    around = F.avg_pool2d(planes[:, :4], 4 * BLOCK)
    surface = around[:, :3] / around[:, 3:4].clamp(min=_WHOLE)
    return torch.cat(
        [F.avg_pool2d(planes[:, 4:6], BLOCK), F.interpolate(surface, scale_factor=4.0, mode="nearest")], dim=1
    )


def bend(x: Tensor) -> Tensor:
    """The network's nonlinearity. It leaks, so that no channel dies while there is little to gain yet."""
    return F.leaky_relu(x, LEAK)


class Block(nn.Module):
    """Looks at the neighbours of each position and adds what it finds."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, width, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,H,W] in and out."""
        return x + bend(self.around(x))


def surrounded(planes: Tensor) -> Tensor:
    """[B,1,1,1] in [0, 1] how far a picture shows surfaces all around: beyond a hole there is one then.

    Around an object, or where a head looks away, there is nothing to fill in.
    """
    covered = planes[:, 3:4].mean(dim=(2, 3), keepdim=True)
    return ((covered - LEAST_COVERED) / (AMPLY_COVERED - LEAST_COVERED)).clamp(0, 1)


def blended(color: Tensor, residual: Tensor, gate: Tensor, *, clip: bool) -> Tensor:
    """[B,4,H,W] ``color`` plus ``gate`` times ``residual``, and ``gate``; colours in [0, 1] where clipped."""
    restored = color + gate * residual
    return torch.cat([restored.clamp(0, 1) if clip else restored, gate], dim=1)

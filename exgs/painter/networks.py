"""The network of ``tiny``, ``small`` and ``base``: works on blocks of pixels, with a gate of its own.

Only this module, ``latent``, ``losses``, ``training``, ``calibration`` and ``export`` import torch.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exgs.painter.architecture import check_architecture
from exgs.painter.errors import PainterError
from exgs.painter.planes import FEWEST

ARCHITECTURES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "tiny": {"kind": "pixels", "planes": 7, "fill": True, "widths": [40, 32, 32], "blocks": [2, 1, 1]},
        "small": {"kind": "pixels", "planes": 7, "fill": True, "widths": [64, 112, 224], "blocks": [2, 3, 4],
                  "reaches": [1, 2, 4, 1]},
        "base": {"kind": "pixels", "planes": 7, "fill": True, "widths": [96, 176, 352], "blocks": [3, 4, 8],
                 "reaches": [1, 2, 4, 1, 2, 4, 1, 1]},
        "latent": {"kind": "latent", "vae_widths": [64, 64, 64, 64], "unet_widths": [192, 320]},
    }
)  # fmt: skip
"""What can be trained, and what ``build`` makes of it: the sizes that are shipped, and the published form."""
BLOCK = 4
"""Pixels along each side of a block that becomes one position of the network."""
LEAK = 0.1
"""Slope of the nonlinearity below nothing."""
LEAST_COVERED, AMPLY_COVERED = 0.3, 0.45
"""Mean alpha up to which a picture is left alone, and from which on it is not."""
NOTHING, EMPTY = (0.05, 0.15), (0.05, 0.1)
"""Alpha of wider surroundings in which nothing is; share of these from which on, and from which on surely, a
picture is one of an object."""
WIDE = 5
"""Side of the window in which surfaces are looked for, in units of 16 pixels."""
_WHOLE = 0.05
"""Alpha below which what little is seen of a surface is not scaled up to its whole colour."""
OPEN_WEIGHT, OPEN_FLOOR = 0.5, 1e-3
"""What the error of residuals counts in training as if gates were open, and below which it counts little."""
_FAINT = 0.05
"""Alpha that counts as much as the colour of the surroundings."""


class Painter(nn.Module, ABC):
    """A network that takes planes [B,P,H,W] and gives restored colours and gate [B,4,H,W]."""

    planes: int = FEWEST
    """How many of the planes it takes, the first ones."""

    def learn(self, planes: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """What it gives for ``planes``, and a loss of its own against clean pictures ``source`` [B,3,H,W]."""
        return self(planes), source.new_zeros(())

    @property
    @abstractmethod
    def gate_bias(self) -> nn.Parameter:
        """What is added to the logits of the gate everywhere."""

    def taken(self, planes: Tensor) -> Tensor:
        """Those of ``planes`` that the network takes: the first ones."""
        if planes.shape[1] < self.planes:
            raise ValueError(f"expected {self.planes} planes, found {planes.shape[1]}")
        return planes[:, : self.planes]

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

    def use_denoiser(self, folder: Path) -> None:
        """Takes a pretrained denoiser.

        Raises:
            PainterError: the network was not built for it, or the files do not fit.
        """
        raise PainterError(f"{folder}: this network has no place for a foreign denoiser")

    def pretrained(self) -> Iterator[nn.Parameter]:
        """The weights that somebody else has trained, which are only touched up."""
        return iter(())


def build(architecture: Mapping[str, Any]) -> Painter:
    """The network that ``architecture`` of a manifest describes, with random weights.

    Raises:
        PainterError: there is no such architecture, or not the memory for it.
    """
    check_architecture(architecture)
    options = dict(architecture)
    kind = options.pop("kind")
    try:
        if kind == "pixels":
            return PixelPainter(**options)
        if kind == "latent":
            from exgs.painter.latent import LatentPainter

            return LatentPainter(**options)
        from exgs.painter.foreign import ForeignPainter

        return ForeignPainter(**options)
    except (TypeError, ValueError, RuntimeError) as error:  # of torch, where there is not the memory
        raise PainterError(f"architecture {kind}: {str(error)[:200]}") from error


def parameters(network: nn.Module) -> int:
    """How many numbers the network has learnt."""
    return sum(weights.numel() for weights in network.parameters())


class PixelPainter(Painter):
    """A small U-shaped network over blocks of 4 x 4 pixels.

    It begins with residuals of nothing and gates half open: gates that begin closed, before residuals that
    begin at random, never open.

    Planes [B,P,H,W] in, restored colours and gate [B,4,H,W] out; H and W are multiples of 16. The answer is
    the input plus gate times residual, so that pixels which are right already pass at full resolution.
    """

    def __init__(
        self,
        widths: list[int],
        blocks: list[int],
        *,
        planes: int = FEWEST,
        fill: bool = False,
        reaches: list[int] | None = None,
    ) -> None:
        """``widths`` are the channels at a quarter, an eighth and a sixteenth of the picture's size;
        ``blocks`` the residual blocks at each of them, on the way down; ``reaches`` how far apart the
        neighbours are that those at a sixteenth look at, 1 where not said.

        With ``fill`` the surface around is part of every residual, as much of it as the network says, and
        gates stay closed where nothing is around; without it where little is in the whole picture."""
        super().__init__()
        self.planes = planes
        self.pixels = nn.Conv2d(4, widths[0], BLOCK, stride=BLOCK)
        self.context = nn.Conv2d(planes - 1, widths[0], 1, bias=False)
        self.down = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in pairwise(widths))
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(count)))
            for width, count in zip(widths[:-1], blocks[:-1], strict=True)
        )
        deepest = reaches or [1] * blocks[-1]
        if len(deepest) != blocks[-1]:
            raise PainterError(f"architecture: {len(deepest)} reaches for {blocks[-1]} blocks")
        self.stages.append(nn.Sequential(*(Block(widths[-1], reach=reach) for reach in deepest)))
        self.up = nn.ModuleList(nn.Conv2d(b, a, 1) for a, b in pairwise(widths))
        self.join = nn.ModuleList(Block(width) for width in widths[:-1])
        self.residual = nn.Conv2d(widths[0], 3 * BLOCK**2, 1)
        self.gate = nn.Conv2d(widths[0], BLOCK**2, 1)
        self.fill = nn.Conv2d(widths[0], 1, 1) if fill else None
        for head in (self.residual, self.gate, *([self.fill] if self.fill is not None else [])):
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)

    def forward(self, planes: Tensor) -> Tensor:
        """Restored colours and gate [B,4,H,W] of ``planes`` [B,P,H,W]; clipped unless in training."""
        residual, gate = self._found(self.taken(planes))
        return blended(planes[:, :3], residual, gate, clip=not self.training)

    def learn(self, planes: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """What it gives, and the error of the residuals as if all gates were open: behind closed gates they
        would learn nothing, and gates before useless residuals would never open."""
        residual, gate = self._found(self.taken(planes))
        color = planes[:, :3]
        left = (color + residual - source).square().mean(dim=(1, 2, 3))
        return blended(color, residual, gate, clip=False), OPEN_WEIGHT * torch.log(left + OPEN_FLOOR).mean()

    def _found(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        """[B,3,H,W] residual and [B,1,H,W] gate."""
        if self.fill is None:
            x = self._features(planes, _around(planes))
            residual = F.pixel_shuffle(self.residual(x), BLOCK)
            return residual, torch.sigmoid(F.pixel_shuffle(self.gate(x), BLOCK)) * surrounded(planes)
        surface, near = surfaces(planes)
        x = self._features(planes, surface)
        behind = self.fill(x) * surface
        behind = F.interpolate(behind, scale_factor=float(BLOCK), mode="bilinear", align_corners=False)
        residual = F.pixel_shuffle(self.residual(x), BLOCK) + (1 - planes[:, 3:4]) * behind
        return residual, F.pixel_shuffle(torch.sigmoid(self.gate(x)) * near, BLOCK)

    @property
    def gate_bias(self) -> nn.Parameter:
        """That of the gate's only layer."""
        return self.gate.bias

    def _features(self, planes: Tensor, surface: Tensor) -> Tensor:
        """[B,C,H/4,W/4] what the heads go by."""
        context = torch.cat([F.avg_pool2d(planes[:, 4:], BLOCK), surface], dim=1)
        x = bend(self.pixels(planes[:, :4]) + self.context(context))
        skips = []
        for stage, down in zip(self.stages[:-1], self.down, strict=True):
            x = stage(x)
            skips.append(x)
            x = bend(down(x))
        x = self.stages[-1](x)
        for up, join, skip in zip(reversed(self.up), reversed(self.join), reversed(skips), strict=True):
            x = join(bend(skip + F.interpolate(up(x), scale_factor=2.0, mode="nearest")))
        return x


def _around(planes: Tensor) -> Tensor:
    """[B,3,H/4,W/4] the colour of the surface in the 16 x 16 pixels around."""
    around = F.avg_pool2d(planes[:, :4], 4 * BLOCK)
    surface = around[:, :3] / around[:, 3:4].clamp(min=_WHOLE)
    return F.interpolate(surface, scale_factor=4.0, mode="nearest")


def surfaces(planes: Tensor) -> tuple[Tensor, Tensor]:
    """[B,3,H/4,W/4] the colour of the surface around each block, which is what a hole in it most likely
    hides; and [B,1,H/4,W/4] in [0, 1] how far there is one.

    A block's own colour counts as far as it is covered, for the rest that of 16 x 16 pixels, and for what of
    these is not covered that of 80 x 80.
    """
    block = F.avg_pool2d(planes[:, :4], BLOCK)
    middle = F.avg_pool2d(block, 4)
    wide = F.avg_pool2d(middle, WIDE, stride=1, padding=WIDE // 2, count_include_pad=False)
    surface = wide[:, :3] / wide[:, 3:4].clamp(min=_WHOLE)
    surface = (middle[:, :3] + _FAINT * surface) / (middle[:, 3:4] + _FAINT)
    surface = F.interpolate(surface, scale_factor=4.0, mode="bilinear", align_corners=False)
    surface = (block[:, :3] + _FAINT * surface) / (block[:, 3:4] + _FAINT)
    near = _near(wide[:, 3:4])
    return surface, F.interpolate(near, scale_factor=4.0, mode="bilinear", align_corners=False)


def _near(wide: Tensor) -> Tensor:
    """[B,1,h,w] in [0, 1] how far there is a surface where so much of the wider surroundings is covered.

    Where a part of the picture shows nothing at all, it is of an object, and there is nothing to fill in:
    what is dark there is no hole, and its outline would fray.
    """
    empty = ((NOTHING[1] - wide) / (NOTHING[1] - NOTHING[0])).clamp(0, 1).mean(dim=(2, 3), keepdim=True)
    room = ((EMPTY[1] - empty) / (EMPTY[1] - EMPTY[0])).clamp(0, 1)
    return room * ((wide - LEAST_COVERED) / (AMPLY_COVERED - LEAST_COVERED)).clamp(0, 1)


def bend(x: Tensor) -> Tensor:
    """The network's nonlinearity. It leaks, so that no channel dies while there is little to gain yet."""
    return F.leaky_relu(x, LEAK)


class Block(nn.Module):
    """Looks at the neighbours of each position and adds what it finds."""

    def __init__(self, width: int, *, reach: int = 1) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, width, 3, padding=reach, dilation=reach)

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

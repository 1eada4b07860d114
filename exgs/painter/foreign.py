"""A denoiser that somebody else has trained, in diffusers' format, in place of the one of ``latent``.

It is asked once, at one fixed step of the noise that it was trained on, for what of the latent is noise. It
is given no text. What it was not trained on, the mask and its like, comes in beside its first convolution.
What it finds begins to count from nothing: a network that has learnt nothing yet leaves pictures as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from exgs.painter.diffusers_folder import check_denoiser, read_denoiser
from exgs.painter.errors import PainterError
from exgs.painter.latent import Gate, LatentPainter
from exgs.painter.planes import PLANES

NO_NETWORK = (
    ValueError, TypeError, AttributeError, IndexError, KeyError, RuntimeError, ZeroDivisionError
)  # fmt: skip
"""What diffusers and torch raise of configurations that they make no network of; a test has one for each."""


class ForeignPainter(LatentPainter):
    """As ``LatentPainter``, with a denoiser of diffusers: ``UNet2DModel`` or ``UNet2DConditionModel``."""

    def __init__(
        self,
        vae_widths: list[int],
        unet: Mapping[str, Any],
        *,
        channels: int = 4,
        blocks: int = 3,
        middle: bool = False,
        train_vae: bool = False,
        train_unet: bool = True,
    ) -> None:
        """``unet`` is what ``describe_denoiser`` says of a folder; the rest is as for ``LatentPainter``.

        Raises:
            PainterError: the denoiser is of another number of channels, or needs what is not known here.
        """
        super().__init__(
            vae_widths, [8, 8], channels=channels, blocks=blocks, middle=middle, train_vae=train_vae
        )
        self.denoiser = ForeignDenoiser(unet, channels, context=len(PLANES) - 3)
        self.gate = Gate(self.denoiser.width)
        for weights in self.pretrained():
            weights.requires_grad_(train_unet)

    def use_denoiser(self, folder: Path) -> None:
        """Takes the weights of a pretrained denoiser.

        Raises:
            PainterError: they cannot be read, or are of another shape.
        """
        self.denoiser.load(folder)

    def pretrained(self) -> Iterator[nn.Parameter]:
        """The weights of the denoiser, but for what is new beside its first convolution."""
        foreign = [*self.denoiser.unet.parameters(), *self.denoiser.last.parameters()]
        new = {id(weights) for weights in self.denoiser.unet.conv_in.beside.parameters()}
        return (weights for weights in foreign if id(weights) not in new)


class ForeignDenoiser(nn.Module):
    """Asks a U-Net of diffusers as ``Denoiser`` is asked."""

    def __init__(self, unet: Mapping[str, Any], channels: int, *, context: int) -> None:
        """``channels`` are those of the latent, ``context`` the planes beside it."""
        super().__init__()
        check_denoiser(unet, channels)
        self._config = unet
        self.unet = skeleton(unet)
        self.last = self.unet.conv_out
        self.unet.conv_out = nn.Identity()  # what goes into that is good for the gate, too
        self.unet.conv_in = Entry(self.unet.conv_in, context)
        self.width = self.last.in_channels
        self.share = nn.Parameter(torch.zeros(1, channels, 1, 1))
        textual = unet["class"] == "UNet2DConditionModel"
        words = unet["config"]["cross_attention_dim"] if textual else 0
        self.words = nn.Parameter(torch.zeros(1, 1, words)) if words else None
        self._divisor = 2 ** (len(self.unet.config["block_out_channels"]) - 1)

    def forward(self, latent: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """The damage in ``latent`` [B,C,h,w], and features [B,width,h,w] for the gate."""
        height, width = latent.shape[2:]
        sigma = self._config["sigma"]
        noisy = latent / math.sqrt(1 + sigma**2)
        features = self._asked(padded(torch.cat([noisy, context], 1), self._divisor))
        found = self.last(features)[:, :, :height, :width]
        damage = noise(found, noisy, sigma, self._config["predicts"])
        return self.share * damage, features[:, :, :height, :width]

    def load(self, folder: Path) -> None:
        """Takes the weights in ``folder``.

        Raises:
            PainterError: they cannot be read, or are of another shape.
        """
        found = {_named(name): value for name, value in read_denoiser(folder, self._config).items()}
        own = self.state_dict()
        with torch.no_grad():
            for name, value in found.items():
                own[name].copy_(value)

    def _asked(self, noisy: Tensor) -> Tensor:
        step = self._config["step"]
        if self.words is None:
            return self.unet(noisy, step, return_dict=False)[0]
        words = self.words.expand(noisy.shape[0], -1, -1)
        return self.unet(noisy, step, words, return_dict=False)[0]


class Entry(nn.Module):
    """The first convolution of a pretrained network, and beside it one for planes that it does not know."""

    def __init__(self, known: nn.Conv2d, context: int) -> None:
        super().__init__()
        self.known = known
        self.beside = nn.Conv2d(context, known.out_channels, 3, padding=1, bias=False)
        nn.init.zeros_(self.beside.weight)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C + context,h,w] in."""
        count = self.known.in_channels
        known: Tensor = self.known(x[:, :count])
        return known + self.beside(x[:, count:])


def skeleton(unet: Mapping[str, Any]) -> Any:
    """The U-Net that ``unet`` describes, with random weights.

    Raises:
        PainterError: diffusers is missing, or makes no such network.
    """
    try:
        import diffusers
    except ImportError as error:
        raise PainterError("diffusers is not installed: pip install 'exgs[train]'") from error
    try:
        return getattr(diffusers, unet["class"]).from_config(dict(unet["config"]))
    except NO_NETWORK as error:
        raise PainterError(f"diffusers makes no {unet['class']} of this: {str(error)[:200]}") from error


def padded(x: Tensor, divisor: int) -> Tensor:
    """``x`` [B,C,h,w] with h and w the next multiples of ``divisor``; the last rows and columns repeat."""
    for axis in (2, 3):  # by index, for exported padding is bound to the size it was traced at
        length = x.shape[axis]
        filled = (length + divisor - 1) // divisor * divisor
        x = x.index_select(axis, torch.arange(filled, device=x.device).clamp(max=length - 1))
    return x


def noise(found: Tensor, noisy: Tensor, sigma: float, predicts: str) -> Tensor:
    """What is to be taken off a latent, given what the denoiser ``found`` in it.

    ``noisy`` is the latent as it was shown, over sqrt(1 + sigma^2). ``predicts`` is what the network was
    trained to say: the noise (``epsilon``), the clean latent (``sample``), or a mixture (``v_prediction``).
    """
    root = math.sqrt(1 + sigma**2)
    if predicts == "sample":
        return noisy * root - found
    if predicts == "v_prediction":
        found = (found + sigma * noisy) / root
    return sigma * found


def _named(name: str) -> str:
    """Where a tensor of diffusers' file is here."""
    head, _, rest = name.partition(".")
    if head == "conv_out":
        return f"last.{rest}"
    return f"unet.conv_in.known.{rest}" if head == "conv_in" else f"unet.{name}"

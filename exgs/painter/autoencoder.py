"""The tiny autoencoder between pictures and latents.

It is laid out like TAESD and diffusers' ``AutoencoderTiny``, so weights of either load here: TAESD's pair of
``.pth`` files, also that of FLUX.2 with its middle blocks, and folders in diffusers' format.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from exgs.painter.architecture import check_architecture
from exgs.painter.errors import PainterError
from exgs.training.checkpoint import read_tensors
from exgs.weights.tensors import assemble

SCALE = 8
"""Pixels along each side of what becomes one position of the latent."""
ENCODER_BLOCKS, DECODER_BLOCKS = (1, 3, 3, 3), (3, 3, 3, 1)
MIDDLE_GROUPS = 4
_DIFFUSERS = "diffusion_pytorch_model.safetensors"


class TinyAutoencoder(nn.Module):
    """Pictures [B,3,H,W] in [0, 1] to latents [B,C,H/8,W/8] and back; H and W are multiples of 8."""

    def __init__(
        self, widths: Sequence[int], *, channels: int = 4, blocks: int = 3, middle: bool = False
    ) -> None:
        """``widths`` are the channels at full size, a half, a quarter and an eighth of it; ``channels`` those
        of the latent; ``blocks`` how many at each size; ``middle`` whether those at an eighth look wider."""
        super().__init__()
        self.encoder = nn.Sequential(*_encoder(widths, channels, blocks, middle))
        self.decoder = nn.Sequential(*_decoder(widths[::-1], channels, blocks, middle))
        self.channels = channels
        self.shape = {"vae_widths": list(widths), "channels": channels, "blocks": blocks, "middle": middle}

    def encode(self, pictures: Tensor) -> Tensor:
        """Latents of ``pictures``."""
        return self.encoder(pictures)

    def decode(self, latents: Tensor) -> Tensor:
        """Pictures of ``latents``, not clipped."""
        return self.decoder(latents)


class Bound(nn.Module):
    """Keeps latents within the range that the decoder knows."""

    def forward(self, latents: Tensor) -> Tensor:
        """Values beyond 3 come to 3 softly."""
        return torch.tanh(latents / 3) * 3


class Residual(nn.Module):
    """Three convolutions beside the straight way; with ``middle`` a glance at all channels before them."""

    def __init__(self, width: int, *, middle: bool = False) -> None:
        super().__init__()
        self.conv = nn.Sequential(
            _conv(width, width), nn.ReLU(), _conv(width, width), nn.ReLU(), _conv(width, width)
        )
        self.pool = _glance(width) if middle else None

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,H,W] in and out."""
        if self.pool is not None:
            x = x + self.pool(x)
        return torch.relu(self.conv(x) + x)


def read_autoencoder(encoder: Path, decoder: Path | None = None) -> TinyAutoencoder:
    """The autoencoder of a pair of TAESD ``.pth`` files, or of a folder in diffusers' format.

    Raises:
        PainterError: the files cannot be read, or hold something else.
    """
    if decoder is None:
        state = _read_diffusers(encoder)
    else:
        state = {f"encoder.{name}": value for name, value in read_tensors(encoder, PainterError).items()}
        state |= {f"decoder.{name}": value for name, value in read_tensors(decoder, PainterError).items()}
    try:
        width, channels = state["encoder.0.weight"].shape[0], state["decoder.1.weight"].shape[1]
    except (KeyError, IndexError) as error:
        raise PainterError(f"{encoder}: not a tiny autoencoder ({error})") from error
    widths, middle = [width] * len(ENCODER_BLOCKS), any(".pool." in name for name in state)
    check_architecture({"kind": "latent", "vae_widths": widths, "channels": channels})
    found = {"widths": widths, "channels": channels, "middle": middle}
    where = f"{encoder}: not a tiny autoencoder"
    return assemble(lambda given: TinyAutoencoder(**given), found, state, where, PainterError)


def _read_diffusers(folder: Path) -> dict[str, Tensor]:
    """The weights of a folder in diffusers' format, under the names they have here."""
    import safetensors
    import safetensors.torch

    path = folder / _DIFFUSERS if folder.is_dir() else folder
    try:
        state = safetensors.torch.load(path.read_bytes())
    except OSError as error:
        raise PainterError(f"{path}: {error.strerror}") from error
    except safetensors.SafetensorError as error:
        raise PainterError(f"{path}: not a file of weights ({error})") from error
    named = {}
    for name, value in state.items():
        side, _, rest = name.partition(".layers.")
        number, _, tail = rest.partition(".")
        shift = 1 if side == "decoder" else 0  # there the bound is no layer
        named[f"{side}.{int(number) + shift}.{tail}" if number.isdigit() else name] = value
    return named


def _encoder(widths: Sequence[int], channels: int, blocks: int, middle: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for level, (width, most) in enumerate(zip(widths, ENCODER_BLOCKS, strict=True)):
        if level == 0:
            layers.append(_conv(3, width))
        else:
            layers.append(nn.Conv2d(widths[level - 1], width, 3, stride=2, padding=1, bias=False))
        deepest = middle and level == len(widths) - 1
        layers += [Residual(width, middle=deepest) for _ in range(min(most, blocks))]
    return [*layers, _conv(widths[-1], channels)]


def _decoder(widths: Sequence[int], channels: int, blocks: int, middle: bool) -> list[nn.Module]:
    layers: list[nn.Module] = [Bound(), _conv(channels, widths[0]), nn.ReLU()]
    for level, (width, most) in enumerate(zip(widths, DECODER_BLOCKS, strict=True)):
        deepest = middle and level == 0
        layers += [Residual(width, middle=deepest) for _ in range(min(most, blocks))]
        if level < len(widths) - 1:
            layers.append(nn.Upsample(scale_factor=2, mode="nearest"))
            layers.append(nn.Conv2d(width, widths[level + 1], 3, padding=1, bias=False))
    return [*layers, _conv(widths[-1], 3)]


def _glance(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, 4 * width, 1, bias=False),
        nn.GroupNorm(MIDDLE_GROUPS, 4 * width),
        nn.ReLU(),
        nn.Conv2d(4 * width, width, 1, bias=False),
    )


def _conv(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, padding=1)

"""The network of ``latent``: one step of a diffusion model among the latents of an autoencoder.

The damaged picture's latent counts as a noisy one at a fixed time, and what the denoiser takes for noise is
the damage. It sees the mask too. The pictures before and after that step are both decoded, and only their
difference is added to the input: what the autoencoder loses is lost from both, and never from the picture.
"""

from __future__ import annotations

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from exgs.painter.autoencoder import SCALE, TinyAutoencoder, read_autoencoder
from exgs.painter.errors import PainterError
from exgs.painter.networks import Painter, blended, surrounded
from exgs.painter.planes import PLANES

TIME = 0.5
"""Share of noise, in power, that the damaged latent is taken to hold: where on its way the one step is."""
LATENT_WEIGHT, PICTURE_WEIGHT = 0.2, 0.5
"""What distances between latents, and the autoencoder's own loss, count in training."""


class LatentPainter(Painter):
    """Planes [B,7,H,W] in, restored colours and gate [B,4,H,W] out; H and W are multiples of 16."""

    def __init__(
        self,
        vae_widths: list[int],
        unet_widths: list[int],
        *,
        channels: int = 4,
        blocks: int = 2,
        middle: bool = False,
        train_vae: bool = True,
        latent_weight: float = LATENT_WEIGHT,
    ) -> None:
        """``vae_widths``, ``channels``, ``blocks`` and ``middle`` are those of ``TinyAutoencoder``;
        ``unet_widths`` the denoiser's channels at an eighth and a sixteenth of the picture's size. A foreign
        autoencoder is kept as it is (``train_vae`` False). ``latent_weight`` is what distances between
        latents count in training."""
        super().__init__()
        self.planes = len(PLANES)
        self.vae = TinyAutoencoder(vae_widths, channels=channels, blocks=blocks, middle=middle)
        self.denoiser = Denoiser(channels, unet_widths)
        self.gate = Gate(unet_widths[0])
        self.train_vae, self._latent_weight = train_vae, latent_weight
        self.vae.requires_grad_(train_vae)

    def use_autoencoder(self, encoder: Path, decoder: Path | None = None) -> None:
        """Takes the weights of a pretrained autoencoder of the same shape.

        Raises:
            PainterError: they cannot be read, or are of another shape.
        """
        found = read_autoencoder(encoder, decoder)
        try:
            self.vae.load_state_dict(found.state_dict())
        except RuntimeError as error:
            raise PainterError(f"{encoder}: an autoencoder of another shape") from error

    @property
    def gate_bias(self) -> nn.Parameter:
        """That of the gate's last layer."""
        return self.gate.far.bias

    def forward(self, planes: Tensor) -> Tensor:
        """Restored colours and gate of ``planes``; clipped unless in training."""
        return self._restore(planes)[0]

    def learn(self, planes: Tensor, source: Tensor) -> tuple[Tensor, Tensor]:
        """What it gives, and how far latents lie from those of ``source``, and decoded ``source`` from it."""
        given, latent = self._restore(planes)
        target = self.vae.encode(source)
        own = self._latent_weight * F.smooth_l1_loss(latent.float(), target.float().detach())
        if self.train_vae:
            own = own + PICTURE_WEIGHT * F.l1_loss(self.vae.decode(target).float(), source)
        return given, own

    def _restore(self, planes: Tensor) -> tuple[Tensor, Tensor]:
        planes = self.taken(planes)
        color = planes[:, :3]
        latent = self.vae.encode(color)
        noise, features = self.denoiser(latent, F.avg_pool2d(planes[:, 3:], SCALE))
        clean = latent - math.sqrt(TIME / (1 - TIME)) * noise
        decoded = self.vae.decode(torch.cat([latent, clean]))
        before, after = (
            decoded[: planes.shape[0]],
            decoded[planes.shape[0] :],
        )  # a chunk would fix B in exports
        gate = torch.sigmoid(self.gate(features, planes)) * surrounded(planes)
        return blended(color, after - before, gate, clip=not self.training), clean


class Denoiser(nn.Module):
    """A compact U-Net that says what of a latent is damage, given the means of the planes beside colour."""

    def __init__(self, channels: int, widths: list[int]) -> None:
        super().__init__()
        near, far = widths
        self.entry = nn.Conv2d(channels + len(PLANES) - 3, near, 3, padding=1)
        self.first = nn.Sequential(Pair(near), Pair(near))
        self.down = nn.Conv2d(near, far, 3, stride=2, padding=1)
        self.middle = nn.Sequential(Pair(far), Pair(far, reach=2), Pair(far, reach=4))
        self.up = nn.Conv2d(far, near, 1)
        self.last = nn.Sequential(Pair(near), Pair(near))
        self.noise = nn.Conv2d(near, channels, 3, padding=1)
        nn.init.zeros_(self.noise.weight)
        nn.init.zeros_(self.noise.bias)

    def forward(self, latent: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """The damage in ``latent`` [B,C,h,w], and features [B,widths[0],h,w] for the gate."""
        near = self.first(self.entry(torch.cat([latent, context], 1)))
        far = self.middle(F.silu(self.down(near)))
        features = self.last(near + F.interpolate(self.up(far), scale_factor=2.0, mode="nearest"))
        return self.noise(features), features


class Pair(nn.Module):
    """Two normalised convolutions beside the straight way, the first over every ``reach``-th neighbour."""

    def __init__(self, width: int, *, reach: int = 1) -> None:
        super().__init__()
        groups = math.gcd(width, 8)
        self.layers = nn.Sequential(
            nn.GroupNorm(groups, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=reach, dilation=reach),
            nn.GroupNorm(groups, width),
            nn.SiLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,H,W] in and out."""
        return x + self.layers(x)


class Gate(nn.Module):
    """Where restoring pays, at full size: what the denoiser saw, beside colour, alpha and disparity there."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.far = nn.Conv2d(width, SCALE**2, 1)
        self.near = nn.Conv2d(5, 1, 3, padding=1)
        nn.init.zeros_(self.far.weight)
        nn.init.zeros_(self.near.weight)
        nn.init.zeros_(self.near.bias)
        nn.init.zeros_(self.far.bias)

    def forward(self, features: Tensor, planes: Tensor) -> Tensor:
        """[B,1,H,W] logits."""
        return F.pixel_shuffle(self.far(features), SCALE) + self.near(planes[:, :5])

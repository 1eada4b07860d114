"""What of the method matters: variants trained from nothing for equally long, compared on views held back."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exgs.painter.crops import Crops
from exgs.painter.gains import Gain
from exgs.painter.networks import ARCHITECTURES, Painter, PixelPainter, parameters
from exgs.painter.shards import Pairs, read_pairs
from exgs.painter.training import Training, TrainSettings
from exgs.painter.validation import validate

LATENT = {"kind": "latent", "vae_widths": [16, 24, 32, 32], "unet_widths": [64, 96]}
"""One step of diffusion among latents, about as quick a picture as ``small``."""
KINDS = ("interior exgs", "interior ugc", "object exgs", "object ugc")
MASK, RATE, LAYERS = 3, 5, 6


@dataclass(frozen=True)
class Variant:
    """A network, and how it is trained."""

    name: str
    architecture: Any
    alter: Callable[[Painter], None] = lambda network: None
    """What is done to the networks before they learn."""
    flip: float = 1.0
    """What FLIP counts in the loss."""


def variants() -> Sequence[Variant]:
    """``tiny`` and what it is without one thing at a time, ``small``, and the latent form."""
    tiny, small = ARCHITECTURES["tiny"], ARCHITECTURES["small"]
    return (
        Variant("`tiny`: direct regression", tiny),
        Variant("no mask", tiny, hiding(MASK, 1.0)),
        Variant("no rate, no layers", tiny, hiding(RATE, 0.5, LAYERS)),
        Variant("no surface behind holes", tiny | {"fill": False}),
        Variant("no skip", tiny, without_skip),
        Variant("no FLIP in the loss", tiny, flip=0.0),
        Variant("`small`: direct regression", small),
        Variant("one-step latent diffusion", LATENT),
        Variant("the same, no latent loss", LATENT | {"latent_weight": 0.0}),
    )


def ablation(folder: Path, minutes: float) -> Iterator[str]:
    """A table with a line for each variant, trained for ``minutes`` of one processor."""
    torch.set_num_threads(1)
    pairs = read_pairs(folder)
    yield f"| {minutes:g} minutes of one processor | parameters | steps | {' | '.join(KINDS)} |"
    yield "|---|---|---|" + "---|" * len(KINDS)
    for variant in variants():
        training = trained(variant, pairs, minutes)
        cells = [summary(validate(training.average, pairs), kind) for kind in KINDS]
        count = f"{parameters(training.network):,}"
        yield f"| {variant.name} | {count} | {training.step} | {' | '.join(cells)} |"


def trained(variant: Variant, pairs: Sequence[Pairs], minutes: float) -> Training:
    """``variant`` after so many minutes of the processor's own time, which a busy machine does not change."""
    settings = TrainSettings(variant.architecture)
    settings = replace(settings, losses=replace(settings.losses, flip=variant.flip))
    training = Training(settings, Crops(pairs, size_px=settings.size_px))
    for network in (training.network, training.average):
        variant.alter(network)
    begin = time.process_time()
    while (share := (time.process_time() - begin) / (60 * minutes)) < 1:
        training.advance(share)
    return training


def summary(gains: dict[str, Gain], kind: str) -> str:
    """Mean gain in dB and in FLIP of the damages of a kind."""
    found = [gain for damage, gain in gains.items() if damage.startswith(kind)]
    if not found:
        return ""
    psnr, flip = (np.mean([getattr(gain, field) for gain in found]) for field in ("psnr", "flip"))
    return f"{psnr:+.2f} dB, {-100 * flip:+.1f} %"


def hiding(plane: int, value: float, *others: int) -> Callable[[Painter], None]:
    """What makes a network see the same ``value`` everywhere in some planes."""

    def alter(network: Painter) -> None:
        found = network.taken

        def taken(planes: Tensor) -> Tensor:
            planes = found(planes).clone()
            planes[:, [plane, *others]] = value
            return planes

        network.taken = taken  # type: ignore[method-assign]

    return alter


def without_skip(network: Painter) -> None:
    """Makes a network draw whole pictures instead of what is to be added to them."""
    assert isinstance(network, PixelPainter)
    found = network._found

    def drawn(planes: Tensor) -> tuple[Tensor, Tensor]:
        residual, gate = found(planes)
        return residual - planes[:, :3], torch.ones_like(gate)

    network._found = drawn  # type: ignore[method-assign]

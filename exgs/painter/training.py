"""Trains a network on pairs: seeded, resumable at any step, on whatever device torch has.

What a step sees follows from the seed and its number alone, so that a run cut into slices goes the way of one
in a piece; only where time is what ends it, the learning rate follows that.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exgs.painter.crops import Crops
from exgs.painter.errors import PainterError
from exgs.painter.losses import LossWeights, log_errors, look
from exgs.painter.networks import Painter, build
from exgs.training.learner import Learner, Settings

LAYOUT = torch.channels_last
"""How convolutions like their pictures best, on processors too."""
TUNING_RATE = 3e-4
"""Largest step of the optimiser for weights that were trained before."""
PRETRAINED_SHARE = 0.02
"""Of the learning rate, for weights that somebody else has trained."""


@dataclass(frozen=True)
class TrainSettings(Settings):
    """How a network is trained on pairs."""

    rate: float = 1e-3
    warmup: float = 0.02
    decay: float = 1e-4
    average: float = 0.999
    batch: int = 8
    """Crops in a step."""
    size_px: int = 128
    """Width and height of the crops, a multiple of 16."""
    losses: LossWeights = field(default_factory=LossWeights)
    """What errors count."""
    caution: float = 6.0
    """How much more harm counts than help: by so many times itself."""
    flip_share: float = 0.5
    """Share of each batch that FLIP, the slowest measure, is taken of."""
    learnt_from: tuple[str, ...] = ()
    """Scenes that the weights which it begins with have learnt from, for who exports what comes of them."""


@dataclass(frozen=True)
class StepReport:
    """What one step did."""

    step: int
    """Its number, from 1."""
    loss: float
    """Mean of ``log_errors``."""
    gain: float
    """The same of the damaged pictures less that of the restored ones: what restoring is worth."""


class Training(Learner[Painter, TrainSettings]):
    """A network that learns to restore pictures."""

    def __init__(self, settings: TrainSettings, crops: Crops, *, device: str = "cpu") -> None:
        """Starts with random weights, seeded.

        Raises:
            PainterError: the architecture or the size of the crops makes no sense.
        """
        if settings.size_px % 16 or settings.size_px < 32:
            raise PainterError(f"crops of {settings.size_px} pixels: expected a multiple of 16, at least 32")
        torch.manual_seed(settings.seed)
        self.device, self._crops = torch.device(device), crops
        network = build(settings.architecture).to(self.device, memory_format=LAYOUT)
        super().__init__(settings, network, _groups(network), error=PainterError)

    def advance(self, progress: float) -> StepReport:
        """Takes one step; ``progress`` in [0, 1] is how much of the training is over."""
        settings = self.settings
        batch = self._crops.batch(settings.batch, np.random.default_rng([settings.seed, self.step]))
        planes, source = (torch.from_numpy(a).to(self.device) for a in (batch.planes, batch.source))
        with torch.autocast(self.device.type, torch.bfloat16, enabled=halves(self.device)):
            given, own = self.network.learn(planes.to(memory_format=LAYOUT), source)
        errors, gain, cautioned = self._judge(given[:, :3].float(), planes[:, :3], source)
        self.descend(cautioned + own, progress)
        return StepReport(self.step, errors, gain)

    def use_network(self, trained: Painter) -> None:
        """Begins with the weights of a network of the same architecture."""
        for network in (self.network, self.average):
            network.load_state_dict(trained.state_dict())

    def use_autoencoder(self, encoder: Path, decoder: Path | None = None) -> None:
        """Begins with the weights of a pretrained autoencoder.

        Raises:
            PainterError: the network has none, or of another shape.
        """
        for network in (self.network, self.average):
            network.use_autoencoder(encoder, decoder)

    def use_denoiser(self, folder: Path) -> None:
        """Begins with the weights of a pretrained denoiser.

        Raises:
            PainterError: the network has no place for it, or it is of another shape.
        """
        for network in (self.network, self.average):
            network.use_denoiser(folder)

    def _judge(self, restored: Tensor, damaged: Tensor, source: Tensor) -> tuple[float, float, Tensor]:
        """Mean log errors, what restoring gained of them, and the loss, in which harm counts for more.

        FLIP is taken of the first part of the batch, which is as random as the rest.
        """
        settings = self.settings
        part = max(1, round(settings.flip_share * len(source)))
        left, gained, loss = 0.0, 0.0, source.new_zeros(())
        looked = look(source[:part])
        for weights, count in (
            (LossWeights(settings.losses.squared, 0.0), len(source)),
            (LossWeights(0.0, settings.losses.flip), part),
        ):
            errors, before = (
                log_errors(pictures[:count], source[:count], weights, looked=looked)
                for pictures in (restored, damaged)
            )
            change = errors - before
            loss = loss + (change + settings.caution * change.clamp(min=0)).mean()
            left += float(errors.detach().mean())
            gained -= float(change.detach().mean())
        return left, gained, loss


def halves(device: torch.device) -> bool:
    """Whether ``device`` computes faster with bfloat16."""
    if device.type == "cuda":
        return True
    return bool(torch.cpu.get_capabilities().get("avx512_bf16", False))


def _groups(network: Painter) -> list[dict[str, Any]]:
    """The weights that learn, with the ``share`` of the learning rate that they get."""
    touched_up = {id(weights) for weights in network.pretrained()}
    learnt = [weights for weights in network.parameters() if weights.requires_grad]
    own = [weights for weights in learnt if id(weights) not in touched_up]
    pretrained = [weights for weights in learnt if id(weights) in touched_up]
    groups = [{"params": own, "share": 1.0}, {"params": pretrained, "share": PRETRAINED_SHARE}]
    return [group for group in groups if group["params"]]

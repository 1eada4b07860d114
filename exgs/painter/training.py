"""Trains a network on pairs: seeded, resumable at any step, on whatever device torch has.

What a step sees follows from the seed and its number alone, so that a run cut into slices goes the way of one
in a piece; only where time is what ends it, the learning rate follows that.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from exgs.painter.checkpoint import check_weights, moments, read_checkpoint
from exgs.painter.crops import Crops
from exgs.painter.errors import PainterError
from exgs.painter.losses import LossWeights, log_errors, look
from exgs.painter.networks import Painter, build
from exgs.scene.formats.atomic import replacing

LAYOUT = torch.channels_last
"""How convolutions like their pictures best, on processors too."""
PRETRAINED_SHARE = 0.02
"""Of the learning rate, for weights that somebody else has trained."""


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained."""

    architecture: Mapping[str, Any]
    """What ``build`` makes the network of."""
    batch: int = 8
    """Crops in a step."""
    size_px: int = 128
    """Width and height of the crops, a multiple of 16."""
    rate: float = 1e-3
    """Largest step of the optimiser; it rises to that and falls like a cosine."""
    warmup: float = 0.02
    """Share of the training in which it rises."""
    decay: float = 1e-4
    """Weight decay."""
    average: float = 0.999
    """Decay of the moving average of the weights, which is what is shipped."""
    seed: int = 0
    """Seed of weights and crops."""
    losses: LossWeights = field(default_factory=LossWeights)
    """What errors count."""
    caution: float = 6.0
    """How much more harm counts than help: by so many times itself."""
    flip_share: float = 0.5
    """Share of each batch that FLIP, the slowest measure, is taken of."""


@dataclass(frozen=True)
class StepReport:
    """What one step did."""

    step: int
    """Its number, from 1."""
    loss: float
    """Mean of ``log_errors``."""
    gain: float
    """The same of the damaged pictures less that of the restored ones: what restoring is worth."""


class Training:
    """A network on its way, with everything that going on needs."""

    def __init__(self, settings: TrainSettings, crops: Crops, *, device: str = "cpu") -> None:
        """Starts with random weights, seeded.

        Raises:
            PainterError: the architecture or the size of the crops makes no sense.
        """
        if settings.size_px % 16 or settings.size_px < 32:
            raise PainterError(f"crops of {settings.size_px} pixels: expected a multiple of 16, at least 32")
        torch.manual_seed(settings.seed)
        self.settings, self.device = settings, torch.device(device)
        self.step, self.progress = 0, 0.0
        self.network = build(settings.architecture).to(self.device, memory_format=LAYOUT).train()
        self.average = deepcopy(self.network).eval().requires_grad_(False)
        self._optimiser = torch.optim.AdamW(_groups(self.network), lr=0.0, weight_decay=settings.decay)
        self._crops = crops

    def advance(self, progress: float) -> StepReport:
        """Takes one step; ``progress`` in [0, 1] is how much of the training is over."""
        settings, self.progress = self.settings, progress
        batch = self._crops.batch(settings.batch, np.random.default_rng([settings.seed, self.step]))
        planes, source = (torch.from_numpy(a).to(self.device) for a in (batch.planes, batch.source))
        for group in self._optimiser.param_groups:
            group["lr"] = group["share"] * settings.rate * _schedule(progress, settings.warmup)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=halves(self.device)):
            given, own = self.network.learn(planes.to(memory_format=LAYOUT), source)
        errors, gain, cautioned = self._judge(given[:, :3].float(), planes[:, :3], source)
        self._optimiser.zero_grad(set_to_none=True)
        (cautioned + own).backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimiser.step()
        self._follow()
        self.step += 1
        return StepReport(self.step, errors, gain)

    def save(self, path: Path) -> None:
        """Writes all that ``resume`` needs, whole or not at all.

        Raises:
            SceneError: the file cannot be written.
        """
        state = {
            "settings": asdict(self.settings) | {"architecture": dict(self.settings.architecture)},
            "step": self.step,
            "progress": self.progress,
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        with replacing(path) as stream:
            torch.save(state, stream)

    def resume(self, path: Path) -> None:
        """Goes on where the checkpoint ``path`` left off.

        Raises:
            PainterError: it cannot be read, or is of another network; then nothing has changed.
        """
        state = read_checkpoint(path)
        if state["settings"]["architecture"] != dict(self.settings.architecture):
            raise PainterError(f"{path}: a checkpoint of another network")
        for network, part in ((self.network, "network"), (self.average, "average")):
            check_weights(network, state[part], f"{path}: {part}")
        remembered = moments(self._optimiser, state.get("optimiser"), str(path))
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(remembered)
        self.step, self.progress = int(state["step"]), float(state["progress"])

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

    def _follow(self) -> None:
        """Moves the average towards the weights, faster in the beginning."""
        keep = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now.to(mean), 1 - keep)


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


def _schedule(progress: float, warmup: float) -> float:
    """Share of the largest learning rate."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))

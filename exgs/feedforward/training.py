"""Trains a network on view sets: seeded, resumable at any step.

What a step sees follows from the seed and its number alone, so that a run cut into slices goes the way of one
in a piece; only where time is what ends it, the learning rate follows that. One network learns to work with
ZPressor and without it: which of the two a step is, is drawn.
"""

from __future__ import annotations

import math
import pickle
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from exgs.feedforward.anchors import choose_anchors
from exgs.feedforward.drawing import draw
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.lessons import Lesson, Lessons
from exgs.feedforward.losses import LossWeights, depth_errors, empty_errors, picture_errors
from exgs.feedforward.network import build
from exgs.feedforward.reconstructing import as_pictures
from exgs.raster import Rasterizer
from exgs.scene.formats.atomic import replacing


@dataclass(frozen=True)
class TrainSettings:
    """How a network is trained."""

    architecture: Mapping[str, Any]
    """What ``build`` makes the network of."""
    rate: float = 4e-4
    """Largest step of the optimiser; it rises to that and falls like a cosine."""
    warmup: float = 0.03
    """Share of the training in which it rises."""
    decay: float = 0.01
    """Weight decay."""
    average: float = 0.998
    """Decay of the moving average of the weights, which is what is shipped."""
    seed: int = 0
    """Seed of weights and lessons."""
    losses: LossWeights = field(default_factory=LossWeights)
    """What errors count."""
    depth_until: float = 0.6
    """Share of the training over which depth's errors fade to a tenth of what they count."""


@dataclass(frozen=True)
class StepReport:
    """What one step did."""

    step: int
    """Its number, from 1."""
    loss: float
    """All errors together."""
    psnr: float
    """Of the pictures drawn from the targets, in dB."""
    many: bool
    """Whether ZPressor took part."""


class Training:
    """A network on its way, with everything that going on needs."""

    def __init__(self, settings: TrainSettings, lessons: Lessons, rasterizer: Rasterizer) -> None:
        """Starts with random weights, seeded.

        Raises:
            FeedforwardError: the architecture makes no sense.
        """
        torch.manual_seed(settings.seed)
        self.settings = settings
        self.step, self.progress = 0, 0.0
        self.network = build(settings.architecture).train()
        self.average = deepcopy(self.network).eval().requires_grad_(False)
        self._optimiser = torch.optim.AdamW(_groups(self.network, settings.decay), lr=0.0, betas=(0.9, 0.98))
        self._lessons, self._rasterizer = lessons, rasterizer

    def advance(self, progress: float) -> StepReport:
        """Takes one step; ``progress`` in [0, 1] is how much of the training is over."""
        settings, self.progress = self.settings, progress
        lesson = self._lessons.draw(np.random.default_rng([settings.seed, self.step]))
        for group in self._optimiser.param_groups:
            group["lr"] = settings.rate * _schedule(progress, settings.warmup)
        loss, squared = self._errors(lesson, progress)
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        if torch.isfinite(norm):
            self._optimiser.step()
            self._follow()
        self.step += 1
        return StepReport(self.step, float(loss.detach()), -10 * math.log10(max(squared, 1e-10)), lesson.many)

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
            FeedforwardError: it cannot be read, or is of another network.
        """
        state = read_checkpoint(path)
        if state["settings"]["architecture"] != dict(self.settings.architecture):
            raise FeedforwardError(f"{path}: a checkpoint of another network")
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(state["optimiser"])
        self.step, self.progress = int(state["step"]), float(state["progress"])

    def _errors(self, lesson: Lesson, progress: float) -> tuple[Tensor, float]:
        """The loss of a lesson, and its squared error."""
        views, weights = lesson.context, self.settings.losses
        anchors = choose_anchors(views.centres, lesson.anchors) if lesson.many else None
        cloud = self.network(as_pictures(views.pictures), views.cameras, views.near, views.far, anchors)
        drawn = draw(cloud.visible(), lesson.targets.cameras, self._rasterizer)
        truth = torch.from_numpy(lesson.targets.pictures.astype(np.float32) / 255)
        squared, structure = picture_errors(drawn, truth)
        depths = torch.from_numpy(lesson.depths[list(cloud.views)])
        chances, depth = depth_errors(cloud, depths, views.near, views.far)
        fading = max(0.1, 1 - 0.9 * progress / self.settings.depth_until)
        loss = weights.squared * squared + weights.structure * structure
        loss = loss + fading * (weights.chances * chances + weights.depth * depth)
        loss = loss + weights.empty * empty_errors(cloud, depths)
        return loss, float(squared.detach())

    def _follow(self) -> None:
        """Moves the average towards the weights, faster in the beginning."""
        keep = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - keep)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """The checkpoint at ``path``.

    Raises:
        FeedforwardError: there is none, or it is damaged.
    """
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise FeedforwardError(f"{path}: {error.strerror or error}") from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, ValueError, TypeError) as error:
        raise FeedforwardError(f"{path}: not a file of torch ({type(error).__name__})") from error
    needed = {"settings", "step", "progress", "network", "average"}
    if not isinstance(state, dict) or not needed <= set(state):
        raise FeedforwardError(f"{path}: not a checkpoint of a reconstructor")
    return state


def _groups(network: nn.Module, decay: float) -> Sequence[dict[str, Any]]:
    """Matrices decay, biases and norms do not."""
    learnt = [weights for weights in network.parameters() if weights.requires_grad]
    return [
        {"params": [weights for weights in learnt if weights.ndim > 1], "weight_decay": decay},
        {"params": [weights for weights in learnt if weights.ndim <= 1], "weight_decay": 0.0},
    ]


def _schedule(progress: float, warmup: float) -> float:
    """Share of the largest learning rate."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))

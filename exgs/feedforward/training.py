"""Trains a network on view sets: seeded, resumable at any step.

What a step sees follows from the seed and its number alone, so that a run cut into slices goes the way of one
in a piece; only where time is what ends it, the learning rate follows that. One network learns to work with
ZPressor and without it: which of the two a step is, is drawn.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from exgs.feedforward.anchors import choose_anchors
from exgs.feedforward.drawing import draw
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.lessons import Lesson, Lessons
from exgs.feedforward.losses import LossWeights, depth_errors, empty_errors, picture_errors
from exgs.feedforward.network import Reconstructor, build
from exgs.feedforward.one_pass import as_pictures
from exgs.raster import Rasterizer
from exgs.training.learner import Learner, Settings


@dataclass(frozen=True)
class TrainSettings(Settings):
    """How a network is trained on view sets."""

    rate: float = 4e-4
    warmup: float = 0.03
    decay: float = 0.01
    average: float = 0.998
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


class Training(Learner[Reconstructor, TrainSettings]):
    """A network that learns to reconstruct."""

    def __init__(self, settings: TrainSettings, lessons: Lessons, rasterizer: Rasterizer) -> None:
        """Starts with random weights, seeded.

        Raises:
            FeedforwardError: the architecture makes no sense.
        """
        torch.manual_seed(settings.seed)
        self._lessons, self._rasterizer = lessons, rasterizer
        network = build(settings.architecture)
        groups = _groups(network, settings.decay)
        super().__init__(settings, network, groups, betas=(0.9, 0.98), error=FeedforwardError)

    def advance(self, progress: float) -> StepReport:
        """Takes one step; ``progress`` in [0, 1] is how much of the training is over."""
        lesson = self._lessons.draw(np.random.default_rng([self.settings.seed, self.step]))
        loss, squared = self._errors(lesson, progress)
        self.descend(loss, progress)
        return StepReport(self.step, float(loss.detach()), -10 * math.log10(max(squared, 1e-10)), lesson.many)

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


def _groups(network: nn.Module, decay: float) -> Sequence[dict[str, Any]]:
    """Matrices decay, biases and norms do not."""
    learnt = [weights for weights in network.parameters() if weights.requires_grad]
    return [
        {"params": [weights for weights in learnt if weights.ndim > 1], "weight_decay": decay},
        {"params": [weights for weights in learnt if weights.ndim <= 1], "weight_decay": 0.0},
    ]

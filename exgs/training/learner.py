"""A network on its way: its weights, their moving average and the optimiser; resumable at any step."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from exgs.scene.formats.atomic import replacing
from exgs.training.checkpoint import moments, read_checkpoint
from exgs.weights.tensors import check_weights

Network = TypeVar("Network", bound=nn.Module)
Chosen = TypeVar("Chosen", bound="Settings")


@dataclass(frozen=True)
class Settings:
    """How any network is trained."""

    architecture: Mapping[str, Any]
    """What the network is built of."""
    rate: float
    """Largest step of the optimiser; it rises to that and falls like a cosine."""
    warmup: float
    """Share of the training in which it rises."""
    decay: float
    """Weight decay."""
    average: float
    """Decay of the moving average of the weights, which is what is shipped."""
    seed: int = 0
    """Seed of the weights and of what is learnt from."""


class Learner(Generic[Network, Chosen]):
    """A network that learns, with everything that going on needs."""

    def __init__(
        self,
        settings: Chosen,
        network: Network,
        groups: Iterable[Mapping[str, Any]],
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        error: type[Exception],
    ) -> None:
        """``groups`` of weights are as AdamW takes them, each with the ``share`` of the rate that it gets, or
        all of it; ``error`` is raised of checkpoints that cannot be used."""
        self.step, self.progress = 0, 0.0
        self.network = network.train()
        self.average = deepcopy(network).eval().requires_grad_(False)
        self.settings, self._error = settings, error
        self._optimiser = torch.optim.AdamW(
            [{"share": 1.0, **group} for group in groups], lr=0.0, betas=betas, weight_decay=settings.decay
        )

    def descend(self, loss: Tensor, progress: float) -> None:
        """Takes the step down ``loss``, unless its gradient is not finite; ``progress`` in [0, 1] is how much
        of the training is over."""
        rate = self.settings.rate * schedule(progress, self.settings.warmup)
        for group in self._optimiser.param_groups:
            group["lr"] = group["share"] * rate
        self._optimiser.zero_grad(set_to_none=True)
        loss.backward()
        if torch.isfinite(nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)):
            self._optimiser.step()
            self._follow()
        self.step, self.progress = self.step + 1, progress

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
            error: it cannot be read, or is of another network; then nothing has changed.
        """
        state = read_checkpoint(path, self._error)
        if state["settings"]["architecture"] != dict(self.settings.architecture):
            raise self._error(f"{path}: a checkpoint of another network")
        for network, part in ((self.network, "network"), (self.average, "average")):
            check_weights(network, state[part], f"{path}: {part}", self._error)
        remembered = moments(self._optimiser, state.get("optimiser"), str(path), self._error)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self._optimiser.load_state_dict(remembered)
        self.step, self.progress = int(state["step"]), float(state["progress"])

    def _follow(self) -> None:
        """Moves the average towards the weights, faster in the beginning."""
        keep = min(self.settings.average, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now.to(mean), 1 - keep)


def schedule(progress: float, warmup: float) -> float:
    """Share of the largest learning rate."""
    if progress < warmup:
        return (progress + 1e-3) / (warmup + 1e-3)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (progress - warmup) / (1 - warmup)))

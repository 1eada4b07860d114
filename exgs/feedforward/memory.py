"""How much memory tensors take: measured at one time, and foretold."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_iter

from exgs.feedforward.cameras import COMPANIONS
from exgs.feedforward.encoder import MATCHED, STRIDE
from exgs.feedforward.heads import HALF
from exgs.feedforward.matching import MATCHES, MOST_PARTS
from exgs.feedforward.network import Reconstructor

BYTES_OF_GAUSSIAN = 4 * 23
"""Of a Gaussian with harmonics of degree 1."""


class Meter(Protocol):
    """Watches memory while it is entered."""

    peak_bytes: int
    """Most bytes of tensors at one time."""

    def __enter__(self) -> Any:
        """Begins to watch."""

    def __exit__(self, *reason: Any) -> Any:
        """Ends."""


def meter(device: str, held_bytes: int) -> Meter:
    """A meter of ``device``; ``held_bytes`` are taken already, where it cannot know of them."""
    return CudaMeter() if device == "cuda" else TensorMeter(held_bytes)


class CudaMeter:
    """Asks torch, whose own books of CUDA memory are exact."""

    def __init__(self) -> None:
        self.peak_bytes = 0

    def __enter__(self) -> CudaMeter:
        torch.cuda.reset_peak_memory_stats()
        return self

    def __exit__(self, *reason: Any) -> None:
        self.peak_bytes = int(torch.cuda.max_memory_allocated())


class TensorMeter(TorchDispatchMode):
    """Counts the storage of every tensor that an operation gives, until it is let go.

    Not what operations take for themselves while they run, which is little on a processor.
    """

    def __init__(self, held_bytes: int = 0) -> None:
        super().__init__()
        self.peak_bytes = self._now = held_bytes
        self._live: set[int] = set()

    def __torch_dispatch__(
        self, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Runs an operation and counts what it gave."""
        leaves = [leaf for leaf in tree_iter((args, kwargs)) if isinstance(leaf, Tensor)]
        given = {leaf.untyped_storage()._cdata for leaf in leaves}
        found = function(*args, **(kwargs or {}))
        for leaf in tree_iter(found):
            if isinstance(leaf, Tensor):
                self._count(leaf.untyped_storage(), given)
        return found

    def _count(self, storage: Any, given: set[int]) -> None:
        key = storage._cdata
        if key in self._live or key in given:
            return
        self._live.add(key)
        self._now += storage.nbytes()
        self.peak_bytes = max(self.peak_bytes, self._now)
        weakref.finalize(storage, self._let_go, key, storage.nbytes())

    def _let_go(self, key: int, size: int) -> None:
        self._live.discard(key)
        self._now -= size


def foretold_bytes(
    network: Reconstructor,
    size: tuple[int, int],
    *,
    views: int,
    anchors: int,
    most: int | None = None,
    parts: int = MOST_PARTS,
) -> int:
    """Most bytes of tensors that ``reconstruct`` takes for ``views`` pictures of ``size`` (width, height).

    ``anchors`` of them go on, and an anchor has at ``most`` so many supports (None: all); ``parts`` are those
    that a step of the ladder is cut into, at most 4. What grows with the views is one number in half
    precision for each channel and 16 x 16 pixels of a support, and while an anchor gathers its supports, some
    of them; what an anchor keeps are its features, then its Gaussians.
    """
    width, height = (-(-side // STRIDE) * STRIDE for side in size)
    fine, wide, quarter = network.encoder.join.first.out_channels, network.wide, network.quarter
    swept = 2 * network.steps + fine
    support = 2 * wide / 256
    anchor = 2 * fine / 16 + 2 * wide / 64 + 2 * quarter / 16 + 1 + BYTES_OF_GAUSSIAN / HALF**2
    matched = 2 * MATCHED / 16 * min(views, (1 + MATCHES) * anchors)
    at_work = max(
        30 + fine,
        20 + wide + 12 * support * max(views - anchors if most is None else most, COMPANIONS),
        20 + (swept + 6 * quarter) / 4 + 12 * MATCHES * network.steps * parts / 16,
        130 + 2 * quarter,
    )
    weights = sum(part.nbytes for part in network.parameters())
    return int(weights + width * height * (at_work + anchor * anchors + matched + support * views))

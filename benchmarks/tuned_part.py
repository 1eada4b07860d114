"""A small part of ``tiny`` that is fitted to one scene, packed into few bytes, and put to work.

Of the views that it is fitted to every sixth is held back, and it is dropped where it gains nothing on these.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from unittest import mock

import numpy as np
import torch
import zstandard
from torch import Tensor, nn

from exgs.painter import Pictures, Restored, networks
from exgs.painter.crops import COVERED, TRIES, as_channels, held_back, pair_planes
from exgs.painter.errors import PainterError
from exgs.painter.losses import LossWeights, log_errors
from exgs.painter.networks import Painter, build
from exgs.painter.planes import planes, unplanes
from exgs.painter.shards import Pairs
from exgs.painter.shelf import open_weights
from exgs.weights.tensors import load

CROP_PX, BATCH, RATE = 128, 6, 1e-3


class Part(nn.Module):
    """``tiny``, of which a small part can be fitted: ``values``, differences from the shipped weights."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.network = shipped_network().requires_grad_(False)
        self.values = nn.ParameterList()
        for name, layer in self.network.named_modules():
            if isinstance(layer, nn.Conv2d):
                if kind in ("gains", "both"):
                    gain, shift = (self._new((layer.out_channels, 1, 1)) for _ in range(2))
                    layer.register_forward_hook(lambda _, __, out, g=gain, s=shift: out * (1 + g) + s)
                if kind in ("heads", "both") and name in ("residual", "gate"):
                    weight = self._new(layer.weight.shape)
                    layer.register_forward_hook(
                        lambda _, seen, out, w=weight: out + nn.functional.conv2d(seen[0], w)
                    )

    def _new(self, shape: Sequence[int]) -> nn.Parameter:
        self.values.append(nn.Parameter(torch.zeros(*shape)))
        return self.values[-1]

    def forward(self, seen: Tensor) -> Tensor:
        """As the network, with the fitted part."""
        return self.network(seen)


def shipped_network() -> Painter:
    """``tiny`` as it was shipped."""
    return load(open_weights("tiny"), build, PainterError).eval()


@contextmanager
def everywhere() -> Iterator[None]:
    """Lets the network restore pictures that show little, too."""
    found = networks.surfaces

    def near(seen: Tensor) -> tuple[Tensor, Tensor]:
        surface, _ = found(seen)
        return surface, torch.ones_like(surface[:, :1])

    with mock.patch.object(networks, "surfaces", near):
        yield


def tuned(pairs: Pairs, kind: str, steps: int) -> bytes:
    """The fitted part, packed; nothing at all where it gains nothing on the views held back."""
    part, rng = Part(kind), np.random.default_rng(0)
    learnt = list(part.values)
    optimiser = torch.optim.Adam(learnt, lr=RATE)
    training, waiting = np.flatnonzero(~held_back(pairs)), np.flatnonzero(held_back(pairs))
    part.network.train()  # unclipped, so that what is clipped has gradients too
    with everywhere():
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            chosen = [crop(pairs, int(rng.choice(training)), rng) for _ in range(BATCH)]
            seen, source = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*chosen, strict=True))
            optimiser.zero_grad()
            given, few = part(seen)[:, :3], slice(0, BATCH // 3)  # FLIP takes longest
            loss = log_errors(given, source, LossWeights(flip=0.0)).mean()
            loss = loss + log_errors(given[few], source[few], LossWeights(squared=0.0)).mean()
            loss.backward()
            optimiser.step()
        packed = pack(learnt)
        part.network.eval()
        before, after = (held_back_error(given, pairs, waiting) for given in (None, Tuned(packed, kind)))
    return packed if after < before else b""


def crop(pairs: Pairs, pair: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Planes and clean colours of a part of a picture, mirrored or not."""
    picture = pairs.source[pairs.view[pair]]
    for _ in range(TRIES):
        top, left = (int(rng.integers(length - CROP_PX + 1)) for length in picture.shape[:2])
        window = np.s_[top : top + CROP_PX, left : left + CROP_PX]
        if picture[window][::4, ::4, 1].astype(bool).mean() >= COVERED:
            break
    seen, source = pair_planes(pairs, pair, window), as_channels(picture[window])
    step = 1 if rng.random() < 0.5 else -1
    return seen[:, :, ::step].copy(), source[:, :, ::step].copy()


def held_back_error(restorer: Tuned | None, pairs: Pairs, chosen: np.ndarray) -> float:
    """Mean of the logarithms of the errors on views that were not fitted to, restored or as they are."""
    found = []
    for pair in chosen:
        seen = torch.from_numpy(pair_planes(pairs, int(pair), np.s_[:, :])[None])
        source = torch.from_numpy(as_channels(pairs.source[pairs.view[pair]])[None])
        with torch.no_grad():
            given = seen if restorer is None else restorer.part(seen)
            found.append(float(log_errors(given[:, :3], source, LossWeights())))
    return float(np.mean(found))


def pack(values: Sequence[Tensor]) -> bytes:
    """Each tensor as a step (float32) and signed bytes, one after the other, compressed."""
    steps = [max(float(value.detach().abs().max()) / 127, 1e-12) for value in values]
    quantised = [
        torch.round(v.detach() / s).to(torch.int8).numpy() for v, s in zip(values, steps, strict=True)
    ]
    plain = np.array(steps, np.float32).tobytes() + b"".join(q.tobytes() for q in quantised)
    return zstandard.ZstdCompressor(level=19).compress(plain)


def unpack(packed: bytes, values: Sequence[Tensor]) -> None:
    """Undoes ``pack``, into ``values``."""
    plain = zstandard.ZstdDecompressor().decompress(packed)
    steps, at = np.frombuffer(plain, np.float32, len(values)), 4 * len(values)
    for value, step in zip(values, steps, strict=True):
        quantised = np.frombuffer(plain, np.int8, value.numel(), at).reshape(value.shape)
        value.data = torch.from_numpy(quantised.astype(np.float32) * step)
        at += value.numel()


class Tuned:
    """A restorer by the packed part: nothing is restored where that is empty."""

    name = "tuned"

    def __init__(self, packed: bytes, kind: str) -> None:
        self.part, self._empty = Part(kind).eval(), not packed
        if packed:
            unpack(packed, list(self.part.values))

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        """Unless it does nothing."""
        return not self._empty

    def restore(self, pictures: Pictures) -> Restored:
        """As ``NetworkRestorer``, whatever the rate."""
        if self._empty or pictures.depth is None or pictures.layers is None:
            return Restored(pictures.color, "off")
        height, width = pictures.depth.shape[1:]
        seen = planes(
            pictures.color, pictures.alpha, pictures.depth, pictures.splats_per_pixel, pictures.layers
        )
        with torch.no_grad(), everywhere():
            given = self.part(torch.from_numpy(seen)).numpy()
        return Restored(unplanes(given, (width, height))[0], "restored")

    def forget(self) -> None:
        """Knows nothing."""

"""What a network is worth on the views that training never saw, kind of damage by kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from exgs.painter.crops import as_channels, held_back, pair_planes
from exgs.painter.gains import Gain
from exgs.painter.losses import flip
from exgs.painter.shards import Pairs
from exgs.training.layout import kind_of

Progress = Callable[[float], None]
"""Hears the share that is done, 0 to 1."""
Chosen = Callable[[Pairs], np.ndarray]
"""Says [P] bool which pairs of a scene count."""


def all_of(pairs: Pairs) -> np.ndarray:
    """[P] bool: all, where nothing was trained on the scene."""
    return np.ones(len(pairs), bool)


def held_back_pairs(
    pairs: Sequence[Pairs], chosen: Chosen = held_back
) -> Iterator[tuple[str, Tensor, Tensor]]:
    """Kind of damage, planes [1,7,H,W] and clean picture [1,3,H,W] of every pair that is ``chosen``."""
    whole = np.s_[:, :]
    for found in pairs:
        for pair in np.flatnonzero(chosen(found)):
            planes = torch.from_numpy(pair_planes(found, int(pair), whole)[None])
            source = torch.from_numpy(as_channels(found.source[found.view[pair]])[None])
            yield f"{kind_of(found.scene)} {found.damage[pair]}", planes, source


def held_back_count(pairs: Sequence[Pairs], chosen: Chosen = held_back) -> int:
    """How many ``held_back_pairs`` gives."""
    return sum(int(chosen(found).sum()) for found in pairs)


def validate(
    network: nn.Module, pairs: Sequence[Pairs], progress: Progress = lambda share: None
) -> dict[str, Gain]:
    """What ``network`` gains on the pairs held back: by kind of scene and damage."""
    rows: dict[str, list[tuple[float, ...]]] = {}
    device, count = next(network.parameters()).device, held_back_count(pairs)
    with torch.no_grad():
        for number, (kind, planes, source) in enumerate(held_back_pairs(pairs), start=1):
            clean, damaged = source.to(device), planes.to(device)
            restored = network(damaged)[:, :3].float()
            rows.setdefault(kind, []).append(
                (*(psnr(p, clean) for p in (damaged[:, :3], restored)),
                 *(float(flip(p, clean).mean()) for p in (damaged[:, :3], restored)))
            )  # fmt: skip
            progress(number / count)
    return {kind: Gain(len(found), *np.mean(found, axis=0).tolist()) for kind, found in sorted(rows.items())}


def samples(network: nn.Module, pairs: Sequence[Pairs], *, rows: int = 12) -> list[list[np.ndarray]]:
    """Pictures [H,W,3] of ``rows`` pairs held back: clean, damaged, restored, gate."""
    chosen = list(held_back_pairs(pairs))
    step, sheet = max(1, len(chosen) // rows), []
    device = next(network.parameters()).device
    for _, planes, source in chosen[::step][:rows]:
        with torch.no_grad():
            given = network(planes.to(device)).float().cpu()
        row = (source[0], planes[0, :3], given[0, :3], given[0, 3:].expand(3, -1, -1))
        sheet.append([np.asarray(picture.permute(1, 2, 0).numpy()) for picture in row])
    return sheet


def psnr(picture: Tensor, clean: Tensor) -> float:
    """Peak signal-to-noise ratio in dB, at most 100, of pictures with values in [0, 1] once clipped."""
    return float(-10 * torch.log10((picture.clamp(0, 1) - clean).square().mean().clamp(min=1e-10)))

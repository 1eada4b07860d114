"""What training minimises: the logarithms of the measures that pictures are judged by.

A logarithm makes a tenth less error worth the same in every picture, so that good ones are not spoilt for the
sake of bad ones. FLIP is the measure of Andersson et al. 2020 itself, in a form with gradients.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

PIXELS_PER_DEGREE = 67.0
"""FLIP's usual viewing distance."""
FLOORS = (5e-5, 1e-2)
"""Squared error and FLIP below which less counts little: good pictures may not drown out the others."""
_CSF_WIDEST = 0.04
_CSF = (((1.0, 0.0047), (0.0, 1e-5)), ((1.0, 0.0053), (0.0, 1e-5)), ((34.1, 0.04), (13.5, 0.025)))
"""Height and width of the two Gaussians of each contrast sensitivity: achromatic, red-green, blue-yellow."""
_FEATURE_WIDTH_DEG = 0.082
_COLOUR_POWER, _KNEE, _KNEE_VALUE = 0.7, 0.4, 0.95
_FEATURE_POWER = 0.5
_XYZ_FROM_RGB = (
    (10135552 / 24577794, 8788810 / 24577794, 4435075 / 24577794),
    (2613072 / 12288897, 8788810 / 12288897, 887015 / 12288897),
    (1425312 / 73733382, 8788810 / 73733382, 70074185 / 73733382),
)
_SOFT_COLOUR, _SOFT_FEATURE = 2.0, 0.02
"""Colour difference and feature difference below which the softest FLIP rounds off."""
_SMALL = 1e-6
"""Keeps gradients of roots finite."""


@dataclass(frozen=True)
class LossWeights:
    """What a natural logarithm of each error counts."""

    squared: float = 1.0
    """Mean squared error; 0.23 of its logarithm are a decibel."""
    flip: float = 1.0
    """Mean FLIP."""


@dataclass(frozen=True, eq=False)
class Look:
    """What FLIP compares of B pictures."""

    colours: Tensor
    """[B,3,H,W] CIELAB, Hunt-adjusted, of what an eye resolves."""
    edges: Tensor
    """[B,H,W] strength of edges."""
    points: Tensor
    """[B,H,W] strength of points."""


def log_errors(
    restored: Tensor, source: Tensor, weights: LossWeights, *, looked: Look | None = None
) -> Tensor:
    """[B] weighted logarithms of the errors of ``restored`` [B,3,H,W] against ``source``, both in [0, 1].

    Floors keep pictures that are right already from drowning the others. ``looked`` is ``look(source)``,
    where that is known already.
    """
    squared = (restored - source).square().mean(dim=(1, 2, 3))
    total = weights.squared * torch.log(squared + FLOORS[0])
    if weights.flip:
        total = total + weights.flip * torch.log(
            flip(restored.clamp(0, 1), source, soft=1.0, looked=looked).mean(dim=(1, 2)) + FLOORS[1]
        )
    return total


def flip(test: Tensor, reference: Tensor, *, soft: float = 0.0, looked: Look | None = None) -> Tensor:
    """[B,H,W] LDR-FLIP error of pictures [B,3,H,W] in [0, 1], sRGB, 67 pixels per degree.

    ``soft`` in [0, 1] rounds off the roots in it, whose gradients otherwise are the larger the less there is
    to gain. ``looked`` is ``look(reference)``, where that is known already.
    """
    a, b = look(test), looked or look(reference)
    colour = _colour_error(a.colours, b.colours, soft)
    feature = torch.maximum((a.edges - b.edges).abs(), (a.points - b.points).abs()) / math.sqrt(2)
    return (colour + _SMALL) ** (1 - _root(feature, _FEATURE_POWER, _SOFT_FEATURE * soft))


def look(pictures: Tensor) -> Look:
    """What FLIP compares of ``pictures`` [B,3,H,W] in [0, 1], sRGB."""
    opponent = _opponent(pictures)
    return Look(_seen(opponent), *_features(opponent))


def filter_matrix(taps: Tensor, length: int) -> Tensor:
    """[length, length] matrix that filters a line with odd ``taps`` [n], its ends repeated for ever.

    On pictures as small as those of training, products of matrices are the quickest filters.
    """
    reach = len(taps) // 2
    offsets = torch.arange(-reach, reach + 1, device=taps.device)
    columns = (torch.arange(length, device=taps.device)[:, None] + offsets).clamp(0, length - 1)
    return taps.new_zeros(length, length).scatter_add_(1, columns, taps.expand(length, -1))


def _filtered(pictures: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """``pictures`` [B,H,W] filtered along y with taps ``rows`` and along x with ``columns``."""
    down = filter_matrix(rows.to(pictures), pictures.shape[1])
    across = filter_matrix(columns.to(pictures), pictures.shape[2])
    return down @ pictures @ across.T


def _opponent(srgb: Tensor) -> Tensor:
    """[B,3,H,W] YCxCz of sRGB pictures: luminance, red-green, blue-yellow, linear in light."""
    linear = torch.where(srgb <= 0.04045, srgb / 12.92, ((srgb.clamp(min=0.04045) + 0.055) / 1.055) ** 2.4)
    x, y, z = _to_xyz(linear).unbind(1)
    return torch.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], 1)


def _to_xyz(linear: Tensor) -> Tensor:
    """[B,3,H,W] XYZ over that of white."""
    matrix = linear.new_tensor(_XYZ_FROM_RGB)
    matrix = matrix / matrix.sum(dim=1, keepdim=True)
    return torch.einsum("ij,bjhw->bihw", matrix, linear)


def _from_opponent(opponent: Tensor) -> Tensor:
    """[B,3,H,W] linear light of YCxCz."""
    luma, red_green, blue_yellow = opponent.unbind(1)
    y = (luma + 16) / 116
    xyz = torch.stack([y + red_green / 500, y, y - blue_yellow / 200], 1)
    matrix = opponent.new_tensor(_XYZ_FROM_RGB)
    inverse = torch.linalg.inv(matrix / matrix.sum(dim=1, keepdim=True))
    return torch.einsum("ij,bjhw->bihw", inverse, xyz)


def _seen(opponent: Tensor) -> Tensor:
    """[B,3,H,W] CIELAB, Hunt-adjusted, of what an eye resolves of YCxCz pictures."""
    reach = math.ceil(3 * math.sqrt(_CSF_WIDEST / (2 * math.pi**2)) * PIXELS_PER_DEGREE)
    at = torch.arange(-reach, reach + 1, dtype=torch.float64) / PIXELS_PER_DEGREE
    channels = []
    for channel, gaussians in enumerate(_CSF):
        profiles = [torch.exp(-((math.pi * at) ** 2) / width) for _, width in gaussians]
        heights = [height * math.sqrt(math.pi / width) for height, width in gaussians]
        volume = sum(h * float(p.sum()) ** 2 for h, p in zip(heights, profiles, strict=True))
        parts = [
            _filtered(opponent[:, channel], p * (h / volume), p)
            for h, p in zip(heights, profiles, strict=True)
            if h
        ]
        channels.append(torch.stack(parts).sum(dim=0))
    return _hunt_lab(_from_opponent(torch.stack(channels, 1)).clamp(0, 1))


def _hunt_lab(linear: Tensor) -> Tensor:
    """[B,3,H,W] CIELAB of linear light, its chroma scaled by lightness."""
    xyz, bend = _to_xyz(linear), 6 / 29
    root = torch.where(xyz > bend**3, xyz.clamp(min=bend**3) ** (1 / 3), xyz / (3 * bend**2) + 4 / 29)
    x, y, z = root.unbind(1)
    lightness = 116 * y - 16
    return torch.stack([lightness, 5 * (x - y) * lightness, 2 * (y - z) * lightness], 1)


def _root(x: Tensor, power: float, soft: float) -> Tensor:
    """``x`` to a power below 1, its slope at 0 bounded by rounding it off below ``soft``."""
    soft = max(soft, _SMALL)
    return (x * x + soft * soft) ** (power / 2) - soft**power


def _colour_error(a: Tensor, b: Tensor, soft: float) -> Tensor:
    """[B,H,W] error in [0, 1] of two pictures as ``_seen`` gives them."""
    green, blue = (torch.zeros(1, 3, 1, 1, dtype=a.dtype, device=a.device) for _ in range(2))
    green[:, 1], blue[:, 2] = 1, 1
    largest = _distance(_hunt_lab(green), _hunt_lab(blue)) ** _COLOUR_POWER
    found = _root(_distance(a, b), _COLOUR_POWER, _SOFT_COLOUR * soft)
    knee = _KNEE * largest
    below = _KNEE_VALUE / knee * found
    above = _KNEE_VALUE + (found - knee) / (largest - knee) * (1 - _KNEE_VALUE)
    return torch.where(found < knee, below, above)


def _distance(a: Tensor, b: Tensor) -> Tensor:
    """[B,H,W] lightness apart plus chroma apart."""
    step = a - b
    return step[:, 0].abs() + torch.sqrt(step[:, 1] ** 2 + step[:, 2] ** 2 + _SMALL**2)


def _features(opponent: Tensor) -> tuple[Tensor, Tensor]:
    """[B,H,W] strengths of edges and of points in the luminance of YCxCz pictures."""
    luma = (opponent[:, 0] + 16) / 116
    deviation = 0.5 * _FEATURE_WIDTH_DEG * PIXELS_PER_DEGREE
    at = torch.arange(-math.ceil(3 * deviation), math.ceil(3 * deviation) + 1, dtype=torch.float64)
    smooth = torch.exp(-(at**2) / (2 * deviation**2))
    return tuple(
        torch.sqrt(
            _filtered(luma, smooth / smooth.sum(), taps) ** 2
            + _filtered(luma, taps, smooth / smooth.sum()) ** 2
            + _SMALL**2
        )
        for taps in (_balanced(-at * smooth), _balanced((at**2 / deviation**2 - 1) * smooth))
    )


def _balanced(taps: Tensor) -> Tensor:
    """``taps`` scaled so that the positive ones add up to 1 and the negative ones to -1."""
    positive, negative = taps.clamp(min=0), taps.clamp(max=0)
    return positive / positive.sum() - negative / negative.sum()

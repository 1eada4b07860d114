"""Levels of detail out of one tree of merges: every level alone shows the whole scene."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.merging import Clusters, reduce, to_gaussians
from exgs.codec.pairing import ALPHA_WEIGHT
from exgs.codec.pyramid import Level, Pyramid
from exgs.scene import Gaussians

BRANCHING = 7
"""Gaussians of a level that one of the next coarser level stands for, on average."""
COARSEST = 1500
"""A level of so few Gaussians is not made coarser."""


@dataclass(frozen=True, eq=False)
class Layer:
    """One level in the making."""

    gaussians: Gaussians
    """The level as merged."""
    parents: np.ndarray | None
    """[N] int32 index in the next coarser layer; None at the coarsest."""
    error: np.ndarray
    """[N] float32 squared picture error of the merges that made each one."""
    presence: np.ndarray
    """[N] float32 squared picture error of leaving each one out."""


def build_layers(clusters: Clusters, levels: int) -> list[Layer]:
    """Layers, finest first, from ``clusters`` as they stand; merges on for the coarser ones."""
    layers: list[Layer] = []
    while True:
        layer = snapshot(clusters)
        target = clusters.count // BRANCHING
        if len(layers) + 1 >= levels or clusters.count <= COARSEST or target < 1:
            layers.append(layer)
            return layers
        layers.append(replace(layer, parents=reduce(clusters, target)))


def snapshot(clusters: Clusters) -> Layer:
    """The clusters as they stand; later merges leave it alone."""
    count = clusters.count
    colors = clusters.colors[:count]
    strength = np.square(colors).sum(axis=1) + ALPHA_WEIGHT
    presence = (
        np.pi * clusters.mass[:count] * clusters.amplitude[:count] * clusters.footprint[:count] * strength
    )
    return Layer(to_gaussians(clusters), None, clusters.error[:count].copy(), presence.astype(np.float32))


def to_pyramid(layers: list[Layer]) -> Pyramid:
    """The layers as the bitstream takes them; importance is the error a Gaussian takes off its parent's."""
    levels = []
    for layer, coarser in zip(layers, [*layers[1:], None], strict=True):
        if coarser is None or layer.parents is None:
            levels.append(Level(layer.gaussians, None, layer.presence))
            continue
        below = np.bincount(layer.parents, layer.error, len(coarser.error))
        gain = np.maximum(coarser.error - below, 0.0)
        share = np.bincount(layer.parents, layer.presence, len(coarser.error))
        importance = gain[layer.parents] * layer.presence / np.maximum(share[layer.parents], 1e-30)
        levels.append(Level(layer.gaussians, layer.parents, importance.astype(np.float32)))
    return Pyramid(tuple(levels))


def with_degree(layers: list[Layer], degree: int) -> list[Layer]:
    """The layers with harmonics cut to ``degree``."""
    return [replace(layer, gaussians=layer.gaussians.with_sh_degree(degree)) for layer in layers]

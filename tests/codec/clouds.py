"""Clouds of Gaussians for the tests of merging, fits and weights."""

from __future__ import annotations

import numpy as np

from exgs.codec import EncodeConfig
from exgs.codec.encoding.leaves import leaves_of
from exgs.codec.encoding.merge_tree import plan_merges
from exgs.codec.encoding.merging import Clusters
from exgs.codec.encoding.moments import areas, covariances
from exgs.codec.encoding.survey import Survey, survey
from exgs.codec.encoding.task import MergeTask
from exgs.raster.cpu import CpuRasterizer
from exgs.raster.crew import Crew
from exgs.scene import SH_COEFFICIENTS, Camera, Gaussians, StartView, sample_views

CAMERA = Camera.looking(
    np.array([0.0, 0.0, -4.0]), np.zeros(3), np.array([0.0, -1.0, 0.0]), fov_y_rad=1.0, size=(64, 64)
)


def cloud(count: int, *, sh_degree: int = 1) -> Gaussians:
    """Soft Gaussians of random colours and shapes around the origin, the same ones each time."""
    random = np.random.default_rng(11)
    return Gaussians(
        random.normal(size=(count, 3)).astype(np.float32),
        random.normal(size=(count, 4)).astype(np.float32),
        random.uniform(-2.5, -1.5, (count, 3)).astype(np.float32),
        random.normal(1.0, 1.0, count).astype(np.float32),
        random.uniform(-0.5, 1.5, (count, 1, 3)).astype(np.float32),
        random.normal(0.0, 0.1, (count, SH_COEFFICIENTS[sh_degree], 3)).astype(np.float32),
    )


def scattered(count: int) -> Gaussians:
    """Small Gaussians of all opacities and colours, with harmonics of degree 1 that are all zero."""
    random = np.random.default_rng(3)
    return Gaussians(
        random.normal(0.0, 1.0, (count, 3)).astype(np.float32),
        random.normal(size=(count, 4)).astype(np.float32),
        random.uniform(-4.0, -2.0, (count, 3)).astype(np.float32),
        random.normal(size=count).astype(np.float32),
        random.normal(size=(count, 1, 3)).astype(np.float32),
        np.zeros((count, 3, 3), np.float32),
    )


def seen(gaussians: Gaussians) -> Survey:
    """A survey in which nothing hides anything, at 1e4 pixels per unit of area."""
    footprint = np.full(len(gaussians), 1e4, np.float32)
    area = areas(covariances(gaussians.quats, gaussians.log_scales))
    weight = (10 * 2 * np.pi * gaussians.opacities * area * footprint).astype(np.float32)
    return Survey((CAMERA,), np.zeros((1, 64, 64, 3), np.float32), weight, footprint)


def uncut(gaussians: Gaussians) -> Clusters:
    """One cluster for every Gaussian, their merges planned as if nothing hid anything."""
    return Clusters.whole(plan_merges(leaves_of(gaussians, seen(gaussians)), Crew(1)))


def task_of(scene: Gaussians) -> MergeTask:
    """The scene looked at and its merges planned, to be encoded in 4,000 bytes."""
    cpu = CpuRasterizer(threads=2)
    views = survey(scene, sample_views(scene, 4, size=(80, 60)), cpu)
    tree = plan_merges(leaves_of(scene, views), Crew(1))
    start = StartView(np.zeros(3), np.ones(3), 1.0)
    return MergeTask(scene, views, EncodeConfig(), 4000, cpu, lambda phase, share: None, start, tree)

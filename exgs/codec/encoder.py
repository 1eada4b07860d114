"""Encodes a scene within a byte budget.

Phases, in order: ``views`` finds viewpoints, ``significance`` looks at the scene from them,
``simplification`` makes fewer Gaussians of it, ``refit`` fits their colours, ``coding`` writes the file,
``check`` decodes it and looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from exgs.codec.analysis import Analysis, scene_key
from exgs.codec.analysis_cache import AnalysisCache
from exgs.codec.config import EncodeConfig
from exgs.codec.decoder import decode
from exgs.codec.errors import EncodeError
from exgs.codec.fidelity import mean_psnr
from exgs.codec.leaves import leaves_of
from exgs.codec.merge_tree import plan_merges
from exgs.codec.methods import encode_exgs, encode_ugc
from exgs.codec.prepare import Prepared, prepare, without_floaters
from exgs.codec.report import Encoding, Report
from exgs.codec.survey import Survey, survey
from exgs.codec.task import Outcome, Progress, Task
from exgs.raster.crew import Crew
from exgs.raster.seam import Rasterizer
from exgs.scene import Camera, Gaussians, StartView, sample_views, starting_view

PHASES = ("views", "significance", "simplification", "refit", "coding", "check")
"""Names that ``progress`` is called with, in order."""
VIEW_PX = (320, 180)
"""Size of the pictures: many small ones tell more than a few large ones."""


def encode(
    gaussians: Gaussians,
    config: EncodeConfig | None = None,
    *,
    rasterizer: Rasterizer,
    cameras: Sequence[Camera] | None = None,
    progress: Progress | None = None,
    cache: AnalysisCache | None = None,
) -> Encoding:
    """Encodes ``gaussians`` as ``config`` asks; the same input gives the same bytes.

    ``cameras`` are where viewers may be; where none are given, viewpoints are sampled. With a ``cache``, what
    does not depend on the budget is found out once, and a file for another budget takes over the fit of an
    earlier one: it comes in seconds, at nearly the quality of a file encoded afresh, and its bytes then
    depend on what was encoded before.

    Raises:
        EncodeError: there is nothing to encode, no view sees anything, or the budget is too small.
    """
    config = config or EncodeConfig()
    tell = _Teller(progress)
    budget = config.budget_bytes(gaussians.float_bytes)
    tell("views", 0.0)
    scene = prepare(gaussians)
    count = config.view_count(len(scene.gaussians))
    chosen = _few(cameras, count) if cameras else _sampled(scene.gaussians, count, config.seed)
    tell("significance", 0.05)
    given = cameras[0] if cameras else None
    if config.method == "exgs":
        views = _survey(scene.gaussians, chosen, rasterizer)
        start = _start(scene.gaussians, given)
        task = Task(scene.gaussians, views, config, budget, rasterizer, tell, start)
        outcome = encode_exgs(task)
    else:
        key = scene_key(scene.gaussians, chosen, rasterizer.name) if cache else ""
        known = cache.get(key, scene.gaussians) if cache else None
        analysis = known or _analyse(scene.gaussians, chosen, rasterizer, tell)
        kept, fitted = analysis.tree.leaves.source, analysis.fitted if config.refit else None
        scene = replace(scene, gaussians=kept, floaters=len(scene.gaussians) - len(kept))
        tell("simplification", 0.2)
        start = _start(kept, given)
        task = Task(
            kept, analysis.views, config, budget, rasterizer, tell, start, tree=analysis.tree, fitted=fitted
        )
        outcome = encode_ugc(task)
        if cache and (known is None or outcome.fitted):
            cache.put(key, replace(analysis, fitted=outcome.fitted or analysis.fitted))
    tell("check", 0.95)
    report = _report(gaussians, scene, task, outcome, bool(cameras))
    tell("check", 1.0)
    return Encoding(outcome.fit.file.data, report)


def _analyse(
    gaussians: Gaussians, cameras: Sequence[Camera], rasterizer: Rasterizer, tell: Progress
) -> Analysis:
    """Looks at the scene, drops its floaters and plans its merges."""
    views = _survey(gaussians, cameras, rasterizer)
    keep = without_floaters(gaussians, views)
    if not keep.all():
        gaussians = gaussians.select(keep)
        views = replace(views, weight_sum=views.weight_sum[keep], footprint=views.footprint[keep])
    tell("simplification", 0.15)
    return Analysis(keep, views, plan_merges(leaves_of(gaussians, views), Crew()))


def _survey(gaussians: Gaussians, cameras: Sequence[Camera], rasterizer: Rasterizer) -> Survey:
    views = survey(gaussians, cameras, rasterizer)
    if not views.weight_sum.any():
        raise EncodeError(f"none of the {len(cameras)} views sees anything of the scene")
    return views


class _Teller:
    """Passes progress on; the share done never falls, even where a step is taken again."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._share = 0.0

    def __call__(self, phase: str, share: float) -> None:
        self._share = max(self._share, share)
        if self._progress is not None:
            self._progress(phase, self._share)


def _sampled(gaussians: Gaussians, count: int, seed: int) -> list[Camera]:
    return sample_views(gaussians, count, seed=seed, size=VIEW_PX)


def _start(gaussians: Gaussians, camera: Camera | None) -> StartView:
    """Where a viewer begins: where the first given camera stands, or a place of our choice."""
    chosen = starting_view(gaussians)
    if camera is None:
        return chosen
    reach = max(float(np.linalg.norm(chosen.target - camera.position)), 1e-3)
    ahead = camera.camera_from_world[2, :3]
    return replace(chosen, position=camera.position, target=camera.position + reach * ahead)


def _few(cameras: Sequence[Camera], count: int) -> list[Camera]:
    """At most ``count`` of the given cameras, evenly spaced, all with pictures of one small size."""
    chosen = np.unique(np.linspace(0, len(cameras) - 1, min(count, len(cameras))).round().astype(int))
    height = min(VIEW_PX[1], cameras[0].height)
    width = max(1, min(2 * VIEW_PX[0], round(height * cameras[0].width / cameras[0].height)))
    return [cameras[index].resized(width, height) for index in chosen]


def _report(source: Gaussians, scene: Prepared, task: Task, outcome: Outcome, views_given: bool) -> Report:
    levels = outcome.pyramid.levels
    data = outcome.fit.file.data
    return Report(
        method=task.config.method,
        splats_in=len(source),
        splats_kept=outcome.pyramid.shown,
        level_splats=tuple(len(level.gaussians) for level in levels),
        sh_degree_in=source.sh_degree,
        sh_degree=levels[0].gaussians.sh_degree,
        unsound=scene.unsound,
        invisible=scene.invisible,
        never_seen=int((task.views.weight_sum == 0).sum()),
        floaters=scene.floaters,
        views=len(task.views.cameras),
        views_given=views_given,
        float_bytes=source.float_bytes,
        budget_bytes=task.budget,
        size_bytes=len(data),
        fp16_bytes=outcome.fp16_bytes,
        section_bytes=dict(outcome.fit.file.section_bytes),
        precision_factor=outcome.fit.factor,
        psnr_db=mean_psnr(decode(data), task.views, task.rasterizer),
    )

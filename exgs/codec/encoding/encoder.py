"""Encodes a scene within a byte budget.

Phases, in order: ``views`` finds viewpoints, ``significance`` looks at the scene from them,
``simplification`` makes fewer Gaussians of it, ``refit`` fits their values, ``coding`` writes the file,
``check`` decodes it and looks at it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from exgs.codec.decoder import decode
from exgs.codec.encoding.analysis import Analyses, Analysis, scene_key
from exgs.codec.encoding.baseline import encode_exgs
from exgs.codec.encoding.carrying import Fitted
from exgs.codec.encoding.config import EncodeConfig
from exgs.codec.encoding.fidelity import mean_psnr
from exgs.codec.encoding.leaves import leaves_of
from exgs.codec.encoding.merge_tree import plan_merges
from exgs.codec.encoding.photographs import Photographs
from exgs.codec.encoding.prepare import Prepared, prepare, without_floaters
from exgs.codec.encoding.report import Encoding, Report
from exgs.codec.encoding.survey import Survey, survey
from exgs.codec.encoding.task import MergeTask, Outcome, Progress, Task
from exgs.codec.encoding.ugc import encode_ugc
from exgs.codec.errors import EncodeError
from exgs.raster.crew import Crew
from exgs.raster.seam import Rasterizer
from exgs.scene import Camera, Gaussians, StartView
from exgs.scene.orbit import starting_view_of
from exgs.scene.site import measure_site
from exgs.scene.spread import evenly
from exgs.scene.views import sample_site

PHASES = ("views", "significance", "simplification", "refit", "coding", "check")
"""Names that ``progress`` is called with, in order."""
LEAST_BYTES = 96
"""No file is smaller: a budget below is refused before any work."""
CHECKED_VIEWS = 32
"""Views over which the report says how near the file comes."""


def encode(
    gaussians: Gaussians,
    config: EncodeConfig | None = None,
    *,
    rasterizer: Rasterizer,
    cameras: Sequence[Camera] | Photographs | None = None,
    progress: Progress | None = None,
    cache: Analyses | None = None,
) -> Encoding:
    """Encodes ``gaussians`` as ``config`` asks; the same input gives the same bytes.

    ``cameras`` are where viewers may be; where none are given, viewpoints are sampled. ``Photographs`` say
    besides what is really to be seen from there: everything is then fitted to them, where else it is fitted
    to pictures of ``gaussians``, so that the file may become better than its source. With a ``cache``, what
    does not depend on the budget is found out once, and a file for another budget takes over the fit of an
    earlier one: it comes in seconds, at nearly the quality of a file encoded afresh, and its bytes then
    depend on what was encoded before. The budget whose fit is kept gets the same file again.

    Raises:
        EncodeError: there is nothing to encode, no view sees anything, or the budget is too small.
    """
    config = config or EncodeConfig()
    scene, tell = prepare(gaussians), _Teller(progress)
    if (budget_bytes := config.budget_bytes(scene.float_bytes)) < LEAST_BYTES:
        raise EncodeError(f"a budget of {budget_bytes} bytes: no file has less than {LEAST_BYTES} bytes")
    count = config.view_count(len(scene.gaussians))
    tell("views", 0.0)
    job = _Job(scene, _where(cameras, count, config.bounds.view_px), config, rasterizer, tell)
    del gaussians, scene  # The caller may have given it up: what is not kept of a large scene makes room.
    task, outcome = job.by_exgs() if config.method == "exgs" else job.by_ugc(cache)
    tell("check", 0.95)
    report = _report(job, task, outcome)
    tell("check", 1.0)
    return Encoding(outcome.fit.file.data, report)


@dataclass(eq=False)
class _Job:
    """A scene on its way through a method."""

    scene: Prepared
    """What is worth encoding; ``ugc`` drops floaters from it."""
    where: list[Camera] | Photographs | int
    """The cameras that were given, with or without their pictures, or how many are to be sampled."""
    config: EncodeConfig
    """What is asked for."""
    rasterizer: Rasterizer
    """Draws."""
    tell: Progress
    """Hears of progress."""

    def by_exgs(self) -> tuple[Task, Outcome]:
        """Prunes."""
        task = self._task(*self._look())
        return task, encode_exgs(task)

    def by_ugc(self, cache: Analyses | None) -> tuple[Task, Outcome]:
        """Merges, by an analysis out of the cache if it has one, which it learns otherwise."""
        key = self._key() if cache is not None else ""
        known = cache.get(key, self.scene.gaussians) if cache is not None else None
        analysis = known or self._analysed()
        if known:
            kept = known.tree.leaves.source
            self.scene = replace(self.scene, gaussians=kept, floaters=len(self.scene.gaussians) - len(kept))
        self.tell("simplification", 0.2)
        given = vars(self._task(analysis.views, analysis.start))
        task = MergeTask(**given, tree=analysis.tree, fitted=self._other_fit(analysis.fitted))
        outcome = encode_ugc(task)
        if known and not outcome.taken_over:
            outcome = replace(outcome, taken_over="analysis")
        if cache is not None and (known is None or outcome.fitted):
            cache.put(key, replace(analysis, fitted=outcome.fitted or analysis.fitted))
        return task, outcome

    def _other_fit(self, known: Fitted | None) -> Fitted | None:
        """A fit for another budget, where one is wanted: who asks for the same file again gets the same."""
        same = known is not None and known.budget_bytes == self.config.budget_bytes(self.scene.float_bytes)
        return known if self.config.refit and not same else None

    def _key(self) -> str:
        """The name of the scene's analysis in a cache."""
        where, made = self.where, (self.rasterizer.name, self.config.bounds)
        if isinstance(where, Photographs):
            return scene_key(self.scene.gaussians, where.cameras, *made, photographs=where.pictures)
        views = (where, self.config.seed) if isinstance(where, int) else where
        return scene_key(self.scene.gaussians, views, *made)

    def _analysed(self) -> Analysis:
        """Looks at the scene, drops its floaters and plans how the rest merges."""
        views, start = self._look()
        keep = without_floaters(self.scene.gaussians, views)
        self.scene, views = self.scene.without(~keep), views.of(keep)
        self.tell("simplification", 0.15)
        views.round_pictures()
        return Analysis(keep, views, plan_merges(leaves_of(self.scene.gaussians, views), Crew()), start)

    def _look(self) -> tuple[Survey, StartView]:
        """What views tell of the scene, and where a viewer begins."""
        site = measure_site(self.scene.gaussians)
        start = starting_view_of(site)
        where = self.where
        if isinstance(where, int):
            cameras = sample_site(site, where, seed=self.config.seed, size=self.config.bounds.view_px)
        else:
            cameras = list(where.cameras) if isinstance(where, Photographs) else where
            start = _moved(start, cameras[0])
        self.tell("significance", 0.05)
        views = survey(self.scene.gaussians, cameras, self.rasterizer)
        if not views.weight_sum.any():
            raise EncodeError(f"none of the {len(cameras)} views sees anything of the scene")
        return where.instead_of(views) if isinstance(where, Photographs) else views, start

    def _task(self, views: Survey, start: StartView) -> Task:
        """The scene as a method is given it."""
        budget_bytes = self.config.budget_bytes(self.scene.float_bytes)
        return Task(self.scene.gaussians, views, self.config, budget_bytes, self.rasterizer, self.tell, start)


def _moved(start: StartView, camera: Camera) -> StartView:
    """``start`` where ``camera`` stands, looking where it looks."""
    position, ahead = camera.position, camera.camera_from_world[2, :3]
    reach = max(float(np.linalg.norm(start.target - position)), 1e-3)
    return replace(start, position=position, target=position + reach * ahead)


class _Teller:
    """Passes progress on; the share done never falls, even where a step is taken again."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress
        self._share = 0.0

    def __call__(self, phase: str, share: float) -> None:
        self._share = max(self._share, share)
        if self._progress is not None:
            self._progress(phase, self._share)


def _where(
    cameras: Sequence[Camera] | Photographs | None, count: int, size: tuple[int, int]
) -> list[Camera] | Photographs | int:
    """At most ``count`` of what was given, no larger than about ``size``; else how many are sampled."""
    if isinstance(cameras, Photographs):
        return cameras.thinned(count).within(*size)
    return _few(cameras, count, size) if cameras else count


def _few(cameras: Sequence[Camera], count: int, size: tuple[int, int]) -> list[Camera]:
    """At most ``count`` of the given cameras, evenly spaced, all with pictures of one size."""
    height = min(size[1], cameras[0].height)
    width = max(1, min(2 * size[0], round(height * cameras[0].width / cameras[0].height)))
    return [cameras[index].resized(width, height) for index in evenly(len(cameras), count)]


def _report(job: _Job, task: Task, outcome: Outcome) -> Report:
    scene, levels = job.scene, outcome.pyramid.levels
    data = outcome.fit.file.data
    judges, source_psnr_db = task.views.thinned(CHECKED_VIEWS), None
    if isinstance(job.where, Photographs):
        judges = job.where.thinned(CHECKED_VIEWS).instead_of(task.views)
        source_psnr_db = mean_psnr(task.gaussians, judges, task.rasterizer)
    return Report(
        method=task.config.method,
        splats_in=scene.splats_in,
        splats_kept=outcome.pyramid.shown,
        level_splats=tuple(len(level.gaussians) for level in levels),
        sh_degree_in=scene.sh_degree_in,
        sh_degree=levels[0].gaussians.sh_degree,
        unsound=scene.unsound,
        invisible=scene.invisible,
        never_seen=int((task.views.weight_sum == 0).sum()),
        floaters=scene.floaters,
        taken_over=outcome.taken_over,
        views=len(task.views.cameras),
        views_given=not isinstance(job.where, int),
        photographs=len(job.where) if isinstance(job.where, Photographs) else 0,
        float_bytes=scene.float_bytes,
        budget_bytes=task.budget_bytes,
        floored=task.config.floored(scene.float_bytes),
        size_bytes=len(data),
        fp16_bytes=outcome.fp16_bytes,
        section_bytes=dict(outcome.fit.file.section_bytes),
        precision_factor=outcome.fit.factor,
        psnr_db=mean_psnr(decode(data), judges, task.rasterizer),
        source_psnr_db=source_psnr_db,
    )

"""Posed pictures to a scene: which views go on, one pass through the network, and what it leaves empty.

How many views go on may be left to ``auto``. It begins with as many as their frusta ask for, which see
through walls, tries that with small pictures, and lets more go on until no view is left with empty patches.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch

from exgs.feedforward.anchors import Anchors, anchors_needed, choose_anchors, gather
from exgs.feedforward.coverage import Coverage, measure_coverage, more_anchors, shrunk
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.memory import meter
from exgs.feedforward.network import Reconstructor
from exgs.feedforward.one_pass import Progress, one_pass
from exgs.feedforward.views import Views
from exgs.raster import Rasterizer
from exgs.scene import Gaussians

AnchorChoice = Literal["auto"] | int | None
TRYING = 0.4
"""Share of the progress that trying with small pictures counts as, where it is not all."""


@dataclass(frozen=True, eq=False)
class Reconstruction:
    """A scene, and what it took."""

    gaussians: Gaussians
    """In the coordinates of the views."""
    anchors: Anchors | None
    """Which views went on; None where all did, without ZPressor."""
    coverage: Coverage
    """What the Gaussians leave empty of the views."""
    seconds: float
    """Time taken; 0 where nobody gave a clock."""
    peak_bytes: int
    """Most bytes that tensors took at one time, the network's weights among them."""

    @property
    def went_on(self) -> tuple[int, ...] | None:
        """The views that are anchors; None where all went on."""
        return None if self.anchors is None else self.anchors.indices


def reconstruct(
    views: Views,
    network: Reconstructor,
    *,
    rasterizer: Rasterizer,
    anchors: AnchorChoice = "auto",
    progress: Progress | None = None,
    clock: Callable[[], float] | None = None,
) -> Reconstruction:
    """The Gaussians of ``views``, computed where ``network`` is.

    ``rasterizer`` looks at what they leave empty; where that is the CPU's everywhere, anchors do not depend
    on what a machine draws with. ``anchors`` is how many views go on: ``auto`` takes as many as cover all
    views, from 6 to 24; None lets all go on, past ZPressor. ``progress`` hears the share that is done, 0 to
    1; ``clock`` tells seconds.

    Raises:
        FeedforwardError: there are fewer than 2 views, or an ill number of anchors.
    """
    chosen = pick_anchors(views, anchors)
    work = _Work(network.eval(), rasterizer, progress or (lambda share: None))
    begin = clock() if clock else 0.0
    watch = meter(network.device, sum(weights.nbytes for weights in network.parameters()))
    with torch.inference_mode(), watch:
        if anchors == "auto" and chosen:
            gaussians, chosen, coverage = work.covering(views, chosen)
        else:
            gaussians, coverage = work.passed(views, chosen, (0.0, 1.0))
    seconds = clock() - begin if clock else 0.0
    return Reconstruction(gaussians, chosen, coverage, seconds, watch.peak_bytes)


def pick_anchors(views: Views, anchors: AnchorChoice) -> Anchors | None:
    """The anchors among ``views`` that ``reconstruct`` begins with; None where all views go on.

    Raises:
        FeedforwardError: as ``reconstruct``.
    """
    if len(views) < 2:
        raise FeedforwardError("1 view: depth is seen by 2 views or more")
    if anchors is None:
        return None
    if anchors == "auto":
        anchors = anchors_needed(views.cameras, views.near, views.far)
    return choose_anchors(views.centres, anchors)


class _Work:
    """Passes through a network, and looks at what came of them."""

    def __init__(self, network: Reconstructor, rasterizer: Rasterizer, progress: Progress) -> None:
        self.network, self.rasterizer, self.progress = network, rasterizer, progress

    def passed(
        self, views: Views, anchors: Anchors | None, done: tuple[float, float]
    ) -> tuple[Gaussians, Coverage]:
        """One pass of ``views``, and what it leaves empty; progress goes through ``done`` meanwhile."""
        begin, end = done
        gaussians = one_pass(
            views, self.network, anchors,
            progress=lambda share: self.progress(begin + (end - begin) * share),
        )  # fmt: skip
        return gaussians, measure_coverage(gaussians, views, rasterizer=self.rasterizer)

    def covering(self, views: Views, anchors: Anchors) -> tuple[Gaussians, Anchors, Coverage]:
        """A pass with as many more ``anchors`` as it takes, and which these are."""
        small = shrunk(views)
        begin, whole = 0.0, 1.0 if small is views else TRYING
        while True:
            end = (begin + whole) / 2
            gaussians, coverage = self.passed(small, anchors, (begin, end))
            more = more_anchors(coverage, small, anchors.indices)
            if not more:
                break
            anchors, begin = gather(views.centres, (*anchors.indices, *more)), end
        if small is not views:
            gaussians, coverage = self.passed(views, anchors, (end, 1.0))
        self.progress(1.0)
        return gaussians, anchors, coverage

"""What a network is worth on scenes that it never saw: more views of one stretch, two ways."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from exgs.feedforward.network import Reconstructor
from exgs.feedforward.paths import find_path
from exgs.feedforward.reconstructing import reconstruct
from exgs.feedforward.sets import depth_range, look
from exgs.feedforward.views import Views
from exgs.raster import Rasterizer
from exgs.raster.quality import psnr, ssim
from exgs.scene import Camera, Gaussians
from exgs.scene.site import measure_site

COUNTS = (6, 12, 24, 36)
"""Views to reconstruct from."""
ANCHORS = 6
"""Of them with ZPressor."""
_RANGE_VIEWS = 12


@dataclass(frozen=True)
class WalkSettings:
    """The stretch that all numbers of views share: more of them are denser, not longer."""

    steps: int = 40
    """Its length, in the steps of ``find_path``."""
    targets: int = 8
    """Views between, to be judged by."""
    size: tuple[int, int] = (224, 128)
    """Width and height of all pictures."""
    seed: int = 777
    """Seed of the walk."""


@dataclass(frozen=True, eq=False)
class Walk:
    """A stretch through a scene, and what there is to be seen between its ends."""

    context: Callable[[int], Views]
    """So many views, evenly from one end to the other."""
    targets: tuple[Camera, ...]
    """Where the judge stands."""
    truth: np.ndarray
    """[T,H,W,3] float32 what the judge would see of the scene itself."""


@dataclass(frozen=True)
class Score:
    """What one reconstruction was worth and what it took."""

    views: int
    """Views it was made from."""
    anchors: int
    """Views that went on; all of them without ZPressor."""
    psnr: float
    """Mean over the targets, in dB."""
    ssim: float
    """Mean over the targets."""
    gaussians: int
    """How many there are."""
    seconds: float
    """It took; 0 where nobody gave a clock."""
    peak_bytes: int
    """Most that its tensors took at one time."""


def walk_through(gaussians: Gaussians, settings: WalkSettings, *, rasterizer: Rasterizer) -> Walk:
    """A stretch through the scene ``gaussians``; the same settings give the same."""
    path = find_path(measure_site(gaussians), settings.steps, seed=settings.seed, size=settings.size)
    some = path.cameras(np.linspace(0, 1, _RANGE_VIEWS), settings.size)
    near, far = depth_range(look(gaussians, some, rasterizer=rasterizer)[1])

    def context(count: int) -> Views:
        cameras = tuple(path.cameras(np.linspace(0, 1, count), settings.size))
        pictures, _ = look(gaussians, cameras, rasterizer=rasterizer)
        return Views(pictures, cameras, near, far, gaussians.frame)

    between = (np.arange(settings.targets) + 0.5) / settings.targets
    targets = tuple(path.cameras(between, settings.size))
    truth = np.stack([rasterizer.render(gaussians, [camera]).color[0] for camera in targets])
    return Walk(context, targets, truth)


def evaluate(
    walk: Walk,
    network: Reconstructor,
    anchors: int | None,
    *,
    counts: Sequence[int] = COUNTS,
    rasterizer: Rasterizer,
    clock: Callable[[], float] | None = None,
) -> tuple[list[Score], np.ndarray]:
    """The scores for all ``counts`` of views, and the pictures [T,H,W,3] of the targets from the last.

    ``anchors`` None is without ZPressor; ``clock`` tells seconds.
    """
    scores, seen = [], walk.truth
    for count in counts:
        made = reconstruct(walk.context(count), network, rasterizer=rasterizer, anchors=anchors, clock=clock)
        seen = np.stack([rasterizer.render(made.gaussians, [camera]).color[0] for camera in walk.targets])
        pairs = list(zip(walk.truth, seen, strict=True))
        scores.append(
            Score(
                views=count,
                anchors=min(count, anchors or count),
                psnr=float(np.mean([psnr(truth, picture) for truth, picture in pairs])),
                ssim=float(np.mean([ssim(truth, picture) for truth, picture in pairs])),
                gaussians=len(made.gaussians),
                seconds=made.seconds,
                peak_bytes=made.peak_bytes,
            )
        )
    return scores, seen

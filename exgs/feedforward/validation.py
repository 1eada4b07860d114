"""What a network is worth on scenes that training never saw: with ZPressor and without."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import nn

from exgs.feedforward.anchors import choose_anchors
from exgs.feedforward.cloud import Cloud
from exgs.feedforward.one_pass import as_pictures
from exgs.feedforward.sampling import Example, SampleSettings, as_views, draw_example
from exgs.feedforward.sets import ViewSet
from exgs.raster import Rasterizer
from exgs.raster.quality import psnr
from exgs.scene import Camera
from exgs.training.layout import kind_of

ANCHORS = 6
_FEW = SampleSettings(few=(3, 3), few_apart=(7, 7), targets=(3, 3), jitter=0)
_MANY = SampleSettings(many=(12, 12), many_apart=(3, 3), targets=(3, 3), jitter=0)


def validate(
    network: nn.Module,
    sets: Sequence[ViewSet],
    rasterizer: Rasterizer,
    progress: Callable[[float], None] = lambda share: None,
) -> dict[str, float]:
    """Mean PSNR in dB of targets in ``sets``, by kind of scene and of example; the same ones every time.

    ``progress`` hears the share that is done, 0 to 1.
    """
    found: dict[str, list[float]] = {}
    for number, (kind, views, example, many) in enumerate(examples(sets), start=1):
        _, drawn = reconstructed(network, views, example, many, rasterizer)
        truth = views.pictures[list(example.targets)].astype(np.float32) / 255
        found.setdefault(kind, []).extend(psnr(other, one) for one, other in zip(drawn, truth, strict=True))
        progress(number / (2 * len(sets)))
    return {kind: round(float(np.mean(values)), 3) for kind, values in sorted(found.items())}


def samples(network: nn.Module, sets: Sequence[ViewSet], rasterizer: Rasterizer) -> list[list[np.ndarray]]:
    """Rows of pictures [H,W,3]: a target, what was drawn, the first context view, its inverse depth."""
    sheet = []
    for _, views, example, many in examples(sets):
        cloud, drawn = reconstructed(network, views, example, many, rasterizer)
        first = cloud.views[0]
        truth, context = (
            views.pictures[i] / np.float32(255) for i in (example.targets[0], example.context[first])
        )
        inverse = views.near / np.repeat(np.repeat(cloud.depth[0].numpy(), 2, axis=0), 2, axis=1)
        sheet.append([truth, drawn[0], context, np.repeat(inverse[..., None], 3, axis=2)])
    return sheet


def examples(sets: Sequence[ViewSet]) -> Iterator[tuple[str, ViewSet, Example, bool]]:
    """Kind, views, and one example of few views and one of many, of each of ``sets``."""
    for number, views in enumerate(sets):
        for many, settings in ((False, _FEW), (True, _MANY)):
            rng = np.random.default_rng([number, many])
            example = draw_example(views, many=many, settings=settings, rng=rng)
            yield f"{kind_of(views.scene)} {'with' if many else 'without'}", views, example, many


def reconstructed(
    network: nn.Module, views: ViewSet, example: Example, many: bool, rasterizer: Rasterizer
) -> tuple[Cloud, np.ndarray]:
    """The cloud of an example's context, and [B,H,W,3] its targets drawn from it."""
    context = as_views(views, example.context)
    anchors = choose_anchors(context.centres, ANCHORS) if many else None
    with torch.inference_mode():
        cloud: Cloud = network(as_pictures(context.pictures), context.cameras, views.near, views.far, anchors)
    cameras: list[Camera] = [views.cameras[target] for target in example.targets]
    return cloud, rasterizer.render(cloud.visible().gaussians(views.frame), cameras).color

"""What a restorer is worth on one scene, damage by damage: judged on pictures, as its users would."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from exgs.painter.gains import Gain, gain_of
from exgs.painter.seam import Restorer, draw
from exgs.raster import Rasterizer
from exgs.raster.quality import Quality, compare_pictures
from exgs.scene import Camera, Gaussians


@dataclass(frozen=True, eq=False)
class Sight:
    """One view of a damaged scene."""

    source: np.ndarray
    """[H,W,3] the clean picture."""
    damaged: np.ndarray
    """[H,W,3] what the viewer has."""
    restored: np.ndarray
    """[H,W,3] what the restorer makes of it."""
    alpha: np.ndarray
    """[H,W] opacity of what the viewer has: the mask."""


def evaluate(
    source: Gaussians,
    damaged: Iterable[tuple[str, Gaussians]],
    cameras: Sequence[Camera],
    *,
    restorer: Restorer,
    rasterizer: Rasterizer,
    show: Callable[[str, int, Sight], None] = lambda damage, view, sight: None,
) -> dict[str, Gain]:
    """The gain for each of ``damaged``, which are named copies of ``source``, over ``cameras``.

    ``show`` is given every picture, with the damage's name and the number of the view.
    """
    clean = [rasterizer.render(source, [camera]).color[0] for camera in cameras]
    gains = {}
    for name, scene in damaged:
        before: list[Quality] = []
        after: list[Quality] = []
        for view, (camera, picture) in enumerate(zip(cameras, clean, strict=True)):
            sight = look(picture, scene, camera, restorer=restorer, rasterizer=rasterizer)
            before.append(compare_pictures(sight.source, sight.damaged))
            same = sight.restored is sight.damaged
            after.append(before[-1] if same else compare_pictures(sight.source, sight.restored))
            show(name, view, sight)
        gains[name] = gain_of(before, after)
    return gains


def look(
    source: np.ndarray, scene: Gaussians, camera: Camera, *, restorer: Restorer, rasterizer: Rasterizer
) -> Sight:
    """Draws ``scene`` and restores the picture, as a viewer would; ``source`` is the clean one."""
    drawn = draw(rasterizer, restorer, scene, [camera])
    restored = restorer.restore(drawn).color
    same = restored is drawn.color
    damaged = drawn.color[0]
    return Sight(source, damaged, damaged if same else restored[0], drawn.alpha[0])

"""How steady a video is: what changes on surfaces as the head moves, and from one eye to the other.

Ask ``steadiness`` of a video, restored or not, and of the clean one, with the depths of the clean scene for
both: then the same pixels count, and the two can be compared. The clean video has an error too, for surfaces
shine and edges fall between pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from exgs.painter.warping import one_surface, reproject, sample
from exgs.scene import Camera


@dataclass(frozen=True)
class Steadiness:
    """Root mean square differences of colours in [0, 1]; smaller is steadier."""

    temporal: float | None
    """Between each frame and the one before it, moved to where its surfaces are now; None for one frame."""
    stereo: float | None
    """Between the right eye and the left one, moved likewise; None for one eye."""


def steadiness(pictures: np.ndarray, depths: np.ndarray, cameras: Sequence[Sequence[Camera]]) -> Steadiness:
    """Of a video of F frames for E eyes: ``pictures`` [F,E,H,W,3], ``depths`` [F,E,H,W] of the clean scene.

    ``cameras`` are those of the eyes (left, right) for each frame. Colours are clipped to [0, 1]; pixels
    count that show a surface which the other picture shows too.

    Raises:
        ValueError: the shapes do not belong together.
    """
    frames, eyes = len(pictures), pictures.shape[1]
    if depths.shape != pictures.shape[:4] or [len(pair) for pair in cameras] != [eyes] * frames:
        raise ValueError(
            f"expected depths {list(pictures.shape[:4])} and as many cameras, found {depths.shape}"
        )
    places = [(frame, eye) for frame in range(frames) for eye in range(eyes)]
    moved = (((frame - 1, eye), (frame, eye)) for frame, eye in places if frame)
    across = (((frame, 0), (frame, eye)) for frame, eye in places if eye)

    def over(pairs: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> float | None:
        found = [
            warped_squares((pictures[a], pictures[b]), (depths[a], depths[b]), _of(cameras, a, b))
            for a, b in pairs
        ]
        count = sum(pixels for _, pixels in found)
        return float(np.sqrt(sum(total for total, _ in found) / count)) if count else None

    return Steadiness(over(moved), over(across))


def warped_squares(
    pictures: tuple[np.ndarray, np.ndarray],
    depths: tuple[np.ndarray, np.ndarray],
    cameras: tuple[Camera, Camera],
) -> tuple[float, int]:
    """Sum of squared differences between the second picture and the first one moved to it; values counted.

    Each of the two has colours [H,W,3] and depths [H,W].
    """
    first, second = (np.clip(picture, 0, 1) for picture in pictures)
    u, v, z = reproject(depths[1], cameras[1], cameras[0])
    same = one_surface(depths[0], u, v, z)
    differences = (sample(first, u, v) - second)[same]
    return float(np.square(differences, dtype=np.float64).sum()), differences.size


def _of(
    cameras: Sequence[Sequence[Camera]], first: tuple[int, int], second: tuple[int, int]
) -> tuple[Camera, Camera]:
    return cameras[first[0]][first[1]], cameras[second[0]][second[1]]

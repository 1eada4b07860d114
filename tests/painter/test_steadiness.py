"""The measure on planes whose pictures are known."""

import numpy as np
import pytest

from exgs.painter.steadiness import steadiness
from tests.painter.test_warping import at

WIDTH, HEIGHT, DEPTH = 32, 8, 2.0


def wall(x: float) -> np.ndarray:
    """A wall at ``DEPTH`` whose red grows evenly to the right, seen from (x, 0, 0): exact between pixels."""
    columns = (np.arange(WIDTH) + 0.5 - WIDTH / 2) / 4 * DEPTH + x
    picture = np.zeros((HEIGHT, WIDTH, 3))
    picture[..., 0] = 0.5 + columns / 40
    return picture


def walk(steps: list[float], eyes: tuple[float, ...] = (0.0,)) -> tuple[np.ndarray, np.ndarray, list]:
    cameras = [[at(x + eye, width=WIDTH, height=HEIGHT) for eye in eyes] for x in steps]
    pictures = np.stack([np.stack([wall(x + eye) for eye in eyes]) for x in steps])
    return pictures, np.full(pictures.shape[:4], DEPTH), cameras


def test_a_wall_that_only_moves_is_steady() -> None:
    found = steadiness(*walk([0.0, 0.3, 0.45], eyes=(-0.5, 0.5)))
    assert found.temporal == pytest.approx(0, abs=1e-9)
    assert found.stereo == pytest.approx(0, abs=1e-9)


def test_flicker_is_measured_as_it_is() -> None:
    pictures, depths, cameras = walk([0.0, 0.25, 0.5])
    pictures[1] += 0.03
    assert steadiness(pictures, depths, cameras).temporal == pytest.approx(0.03)


def test_eyes_that_disagree_are_measured_as_they_do() -> None:
    pictures, depths, cameras = walk([0.0, 0.25], eyes=(-0.5, 0.5))
    pictures[:, 1, :, :, 1] += 0.06
    found = steadiness(pictures, depths, cameras)
    assert found.temporal == pytest.approx(0, abs=1e-9)
    assert found.stereo == pytest.approx(0.06 / np.sqrt(3))


def test_what_only_one_picture_shows_does_not_count() -> None:
    pictures, depths, cameras = walk([0.0, 0.0])
    pictures[1, :, :4] = 1.0
    depths[1, :, :4] = 1.0
    assert steadiness(pictures, depths, cameras).temporal == pytest.approx(0, abs=1e-9)


def test_only_what_can_be_shown_counts() -> None:
    pictures, depths, cameras = walk([0.0, 0.0])
    pictures[0, ..., 2], pictures[1, ..., 2] = -0.5, -0.1
    assert steadiness(pictures, depths, cameras).temporal == pytest.approx(0, abs=1e-9)


def test_one_frame_of_one_eye_has_nothing_to_compare() -> None:
    found = steadiness(*walk([0.0]))
    assert (found.temporal, found.stereo) == (None, None)


def test_shapes_that_do_not_belong_together_are_refused() -> None:
    pictures, depths, cameras = walk([0.0, 0.1])
    with pytest.raises(ValueError, match="expected depths"):
        steadiness(pictures, depths[:1], cameras)
    with pytest.raises(ValueError, match="cameras"):
        steadiness(pictures, depths, cameras[:1])

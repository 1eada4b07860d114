"""View sets small enough to learn from within a test."""

import sys
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from exgs.feedforward.sets import ViewSet
from exgs.scene import Camera, Frame

MakeSet = Callable[..., ViewSet]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Networks this small lose more by waiting for a second thread than it does."""
    torch = sys.modules.get("torch")
    if torch is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def make_set() -> MakeSet:
    """Makes views of a painted wall two units away, past which the camera slides."""

    def make(
        scene: str = "toy", *, views: int = 24, size: tuple[int, int] = (48, 32), seed: int = 1
    ) -> ViewSet:
        width, height = size
        wall = np.random.default_rng(seed).integers(40, 220, (height // 4, width, 3), np.uint8)
        wall = wall.repeat(4, axis=0).repeat(4, axis=1)
        pictures, cameras = [], []
        for step in range(views):
            pictures.append(wall[:, step : step + width])
            matrix = np.eye(4)
            matrix[0, 3] = -2.0 * step / width
            cameras.append(Camera(matrix, float(width), float(width), width / 2, height / 2, width, height))
        depths = np.full((views, height, width), 2.0, np.float16)
        walk = np.zeros(views, np.int32)
        return ViewSet(scene, np.stack(pictures), depths, walk, tuple(cameras), 1.0, 4.0, Frame())

    return make

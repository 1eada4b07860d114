"""Pairs small enough to learn from within a test."""

from collections.abc import Callable

import numpy as np
import pytest

from exgs.painter.shards import Pairs

MakePairs = Callable[..., Pairs]


@pytest.fixture(scope="session")
def make_pairs_of() -> MakePairs:
    """Makes pairs whose damage is a green cast: what any network learns to take away."""

    def make(
        scene: str = "toy", *, views: int = 7, per_view: int = 2, size: int = 48, seed: int = 1
    ) -> Pairs:
        rng = np.random.default_rng(seed)
        coarse = rng.integers(60, 200, (views, size // 8, size // 8, 3), np.uint8)
        source = coarse.repeat(8, 1).repeat(8, 2)
        view = np.arange(views).repeat(per_view).astype(np.int32)
        color = source[view].copy()
        color[..., 1] += 40
        count = len(view)
        return Pairs(
            scene=scene,
            source=source,
            color=color,
            alpha=rng.integers(0, 256, (count, size, size), np.uint8),
            disparity=rng.integers(0, 256, (count, size, size), np.uint8),
            view=view,
            rate=np.linspace(0.2, 0.8, count, dtype=np.float32),
            layers=np.linspace(0.1, 0.9, count, dtype=np.float32),
            damage=np.array(["ugc-107", "exgs-200"] * count)[:count],
        )

    return make

"""A cloud of Gaussians for the tests of fits and weights."""

from __future__ import annotations

import numpy as np

from exgs.scene import SH_COEFFICIENTS, Gaussians


def cloud(count: int, *, sh_degree: int = 1) -> Gaussians:
    """Soft Gaussians of random colours and shapes around the origin, the same ones each time."""
    random = np.random.default_rng(11)
    return Gaussians(
        random.normal(size=(count, 3)).astype(np.float32),
        random.normal(size=(count, 4)).astype(np.float32),
        random.uniform(-2.5, -1.5, (count, 3)).astype(np.float32),
        random.normal(1.0, 1.0, count).astype(np.float32),
        random.uniform(-0.5, 1.5, (count, 1, 3)).astype(np.float32),
        random.normal(0.0, 0.1, (count, SH_COEFFICIENTS[sh_degree], 3)).astype(np.float32),
    )

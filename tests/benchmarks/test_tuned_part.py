"""What is fitted to a scene is packed into few bytes, and an empty part does nothing."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchmarks.tuned_part import Part, Tuned, pack, unpack  # noqa: E402
from exgs.painter import Pictures  # noqa: E402


def random_part(seed: int) -> Part:
    part, random = Part("gains"), torch.Generator().manual_seed(seed)
    for value in part.values:
        value.data = 0.01 * torch.randn(value.shape, generator=random)
    return part


def test_a_packed_part_comes_back_within_half_a_step() -> None:
    part, back = random_part(1), Part("gains")
    packed = pack(list(part.values))
    unpack(packed, list(back.values))
    count = sum(value.numel() for value in part.values)
    assert len(packed) < 2 * count
    for value, found in zip(part.values, back.values, strict=True):
        step = float(value.detach().abs().max()) / 127
        assert float((value - found).detach().abs().max()) <= 0.51 * step


def test_a_part_changes_pictures_and_an_empty_one_none() -> None:
    random = np.random.default_rng(2)
    color, one = random.random((1, 32, 48, 3), np.float32), np.ones(1, np.float32)
    depth, alpha = np.ones((1, 32, 48), np.float32), random.random((1, 32, 48), np.float32)
    seen = Pictures(color, alpha, (), splats_per_pixel=0.5 * one, depth=depth, layers=one)
    assert Tuned(b"", "gains").restore(seen).verdict == "off"
    assert (Tuned(b"", "gains").restore(seen).color == color).all()
    changed = Tuned(pack(list(random_part(3).values)), "gains").restore(seen)
    assert changed.color.shape == color.shape and np.abs(changed.color - color).max() > 1e-3

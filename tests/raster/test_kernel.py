"""The instructions that numba has no name for, and what is known of the cache on disk."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from exgs.raster.kernel import all_compiled, bits_of_float, float_of_bits, kernel, trailing_zeros


@kernel
def lowest_bit(value: int) -> int:
    return trailing_zeros(value)


@kernel
def halved(value: np.float32) -> np.float32:
    """Takes one from the exponent."""
    return float_of_bits(np.int32(bits_of_float(value) - np.int32(1 << 23)))


@pytest.mark.parametrize("bit", [0, 1, 31, 62])
def test_trailing_zeros_finds_the_lowest_bit(bit: int) -> None:
    assert lowest_bit(1 << bit) == bit
    assert lowest_bit((1 << bit) | (1 << 62)) == bit


def test_bits_and_floats_are_two_views_of_one_value() -> None:
    assert halved(np.float32(3.25)) == np.float32(1.625)


def test_a_kernel_on_disk_counts_until_its_source_is_newer(tmp_path: Path) -> None:
    known = SimpleNamespace(
        signatures=(),
        __name__="walk",
        py_func=test_bits_and_floats_are_two_views_of_one_value,
        stats=SimpleNamespace(cache_path=str(tmp_path)),
    )
    assert not all_compiled([known])
    index = tmp_path / "module.walk-12.py311.nbi"
    index.write_bytes(b"")
    assert all_compiled([known])
    os.utime(index, (0, 0))
    assert not all_compiled([known])

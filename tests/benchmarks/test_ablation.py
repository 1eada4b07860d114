"""Ingredients are taken out by name: the names must be there, and come back."""

import numpy as np
import pytest

from benchmarks.ablation import INGREDIENTS, WHOLE, as_table
from benchmarks.altering import altered, part
from benchmarks.codec.rows import Row
from benchmarks.exchanges import ZstdColumns, column_bytes
from benchmarks.tuning import CONSTANTS
from exgs.codec import EncodeConfig
from exgs.codec.encoding import planning, rate


def test_every_ingredient_and_constant_is_there() -> None:
    for ingredient in INGREDIENTS.values():
        EncodeConfig(max_bytes=1000, **ingredient.config)
        for path in ingredient.changes:
            assert part(path) is not None
    for path in (*ZstdColumns().changes, *CONSTANTS):
        assert part(path) is not None


def test_a_part_is_exchanged_wherever_it_was_imported_and_comes_back() -> None:
    before = rate.BALANCED
    with altered({"encoding.rate.BALANCED": before.scaled(2.0)}):
        assert planning.BALANCED is rate.BALANCED is not before
    assert planning.BALANCED is rate.BALANCED is before


def test_what_is_gone_is_missed() -> None:
    with pytest.raises(LookupError, match="no PHLOGISTON"), altered({"encoding.rate.PHLOGISTON": 1}):
        pass


def test_columns_take_what_is_in_them() -> None:
    random = np.random.default_rng(0)
    noise = random.integers(0, 256, 4000)
    assert 3900 < column_bytes(noise) < 4200
    assert column_bytes(np.arange(4000)) < 100


def test_losses_are_against_the_whole() -> None:
    rows = [Row("massa", WHOLE, 1, 1, ratio=107.0, psnr=33.0), Row("massa", "refit", 1, 1, psnr=32.0)]
    lines = as_table(rows).splitlines()
    assert "33.00 dB" in lines[2]
    assert next(line for line in lines if "| refit |" in line).count("-1.00") == 2

"""Configurations that make sense, and those that do not."""

from typing import Any

import pytest

from exgs.codec import PRESETS, EncodeConfig, EncodeError
from exgs.codec.encoding.config import LEAST_SHARE_BYTES


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "zip"},
        {"storage": "fp8"},
        {"preset": "huge"},
        {"effort": "great"},
        {"max_bytes": 0},
        {"ratio": -1.0},
        {"ratio": float("inf")},
        {"ratio": 20.0, "preset": "tiny"},
        {"views": 1},
        {"sh_degree": 4},
        {"levels": 0},
        {"levels": 4},
    ],
)
def test_nonsense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(EncodeError):
        EncodeConfig(**wrong)


def test_budgets_follow_size_ratio_or_preset() -> None:
    assert EncodeConfig(max_bytes=1234).budget_bytes(10**9) == 1234
    assert EncodeConfig(ratio=20.0).budget_bytes(20_000) == 1000
    assert EncodeConfig(preset="tiny").budget_bytes(500_000) == 1000
    assert EncodeConfig().budget_bytes(1_070_000) == int(1_070_000 / PRESETS["small"])


@pytest.mark.parametrize("asked", [{"ratio": 10.0}, {"preset": "large"}, {}])
def test_a_ratio_allows_of_any_scene_what_a_file_takes(asked: dict[str, Any]) -> None:
    config = EncodeConfig(**asked)
    assert config.budget_bytes(68) == LEAST_SHARE_BYTES and config.floored(68)
    enough = LEAST_SHARE_BYTES * round(config.ratio or PRESETS[config.preset or "small"])
    assert config.budget_bytes(enough) == LEAST_SHARE_BYTES and not config.floored(enough)


def test_a_size_is_meant_as_it_is_said() -> None:
    config = EncodeConfig(max_bytes=1)
    assert config.budget_bytes(10**6) == 1 and not config.floored(68)

"""Bounds of rates: what a person says, and what is sent."""

import pytest

from exgs.protocol.megabits import bytes_per_s


@pytest.mark.parametrize(
    ("mbps", "expected"),
    [(None, 0), (20.0, 2_500_000), (0.512, 64_000), (1.1, 137_500), (1e-9, 1), (5e-324, 1)],
)
def test_a_bound_however_small_is_no_freedom(mbps: float | None, expected: int) -> None:
    assert bytes_per_s(mbps) == expected


@pytest.mark.parametrize("mbps", [0.0, -1.0, float("nan")])
def test_what_is_no_bound_is_not_taken_for_one(mbps: float) -> None:
    with pytest.raises(ValueError, match="expected more than 0"):
        bytes_per_s(mbps)

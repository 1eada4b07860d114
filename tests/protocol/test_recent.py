"""Extremes of what was measured lately."""

import pytest

from exgs.protocol.recent import Recent


def test_an_extreme_holds_for_its_span_and_is_gone_after_two() -> None:
    least = Recent(min, 10.0)
    assert least.value is None
    for now_s, value in ((0.0, 3.0), (1.0, 1.0), (5.0, 2.0)):
        least.add(value, now_s)
    assert least.value == 1.0
    least.add(4.0, 10.5)
    assert least.value == 1.0
    least.add(5.0, 20.0)
    assert least.value == 1.0
    least.add(6.0, 21.0)
    assert least.value == 4.0


@pytest.mark.parametrize(("choose", "expected"), [(min, -2.0), (max, 7.0)])
def test_it_is_the_extreme_that_was_asked_for(choose, expected: float) -> None:
    recent = Recent(choose, 1.0, now_s=5.0)
    for step, value in enumerate((0.0, 7.0, -2.0)):
        recent.add(value, 5.0 + 0.5 * step)
    assert recent.value == expected

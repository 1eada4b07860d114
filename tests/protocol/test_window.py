"""The window of one scene channel."""

import pytest

from exgs.protocol.window import Window

STEP_S, TRIP_S = 0.02, 0.08


def follow(window: Window, rates: list[float], *, total: int = 0, now_s: float = 0.0) -> tuple[int, float]:
    """Receipts every ``STEP_S`` for bytes that come at each of ``rates`` in turn."""
    for rate in rates:
        total, now_s = total + int(rate * STEP_S), now_s + STEP_S
        window.arrived(total, now_s, trip_s=TRIP_S)
    return total, now_s


def test_it_holds_what_the_link_carries_and_room_to_grow() -> None:
    window = Window(10_000)
    assert window.bytes == 10_000
    follow(window, [1e6] * 20)
    assert window.bytes == pytest.approx(1.75 * 1e6 * TRIP_S, rel=0.01)


def test_a_short_pause_does_not_shrink_it_and_a_slower_link_does() -> None:
    window = Window(10_000)
    total, now_s = follow(window, [1e6] * 20)
    wide = window.bytes
    total, now_s = follow(window, [1e5] * 25, total=total, now_s=now_s)
    assert window.bytes == wide
    follow(window, [1e5] * 200, total=total, now_s=now_s)
    assert window.bytes == pytest.approx(1.75 * 1e5 * TRIP_S, rel=0.01)


def test_it_never_falls_below_its_least() -> None:
    window = Window(64_000)
    follow(window, [1e4] * 50)
    assert window.bytes == 64_000

"""A pacer keeps a rate, forgets none of it, and never waits for long."""

from hypothesis import given
from hypothesis import strategies as st

from exgs.server.pacer import MAX_DEBT_S, Pacer


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=50), st.integers(10_000, 10_000_000))
def test_the_rate_is_kept_exactly(sizes: list[int], rate: int) -> None:
    pacer, now_s = Pacer(), 100.0
    for size in sizes:
        pause_s = pacer.wait_s(now_s)
        assert pause_s <= MAX_DEBT_S + 1e-9
        now_s += max(pause_s, 0.0)
        pacer.spend(size, rate, now_s)
    spent_s = sum(min(size / rate, MAX_DEBT_S) for size in sizes[:-1])
    assert abs((now_s - 100.0) - spent_s) < 1e-6


def test_idle_time_is_not_saved_up() -> None:
    pacer = Pacer()
    pacer.spend(1000, 1000, 0.0)
    pacer.spend(1000, 1000, 50.0)
    assert pacer.wait_s(50.0) == 1.0


def test_without_a_rate_there_is_no_pause() -> None:
    pacer = Pacer()
    pacer.spend(1 << 40, 0, 7.0)
    assert pacer.wait_s(7.0) == 0.0


def test_an_old_rate_does_not_hold_for_long() -> None:
    pacer = Pacer()
    pacer.spend(1 << 40, 1, 7.0)
    assert pacer.wait_s(7.0) == MAX_DEBT_S

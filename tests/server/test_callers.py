"""How often an address may call, and what counts as one."""

import pytest

from exgs.server.callers import MAX_KNOWN, Callers, caller


def test_a_burst_and_then_a_rate() -> None:
    callers = Callers(3, 0.5)
    assert [callers.wait_s("a", 0.0) for _ in range(4)] == [0, 0, 0, 2.0]
    assert callers.wait_s("b", 0.0) == 0
    assert callers.wait_s("a", 1.0) == pytest.approx(1.0), "asking early costs nothing"
    assert callers.wait_s("a", 2.0) == 0
    assert callers.wait_s("a", 2.0) == pytest.approx(2.0)
    assert [callers.wait_s("a", 1e6) for _ in range(4)] == [0, 0, 0, 2.0]


def test_a_clock_that_goes_back_gives_nothing() -> None:
    callers = Callers(1, 1.0)
    assert callers.wait_s("a", 10.0) == 0
    assert callers.wait_s("a", 5.0) > 0


def test_addresses_without_end_cost_a_bounded_memory() -> None:
    callers = Callers(1, 0.001)
    for number in range(2 * MAX_KNOWN):
        callers.wait_s(str(number), 0.0)
    assert len(callers) == MAX_KNOWN
    assert callers.wait_s(str(2 * MAX_KNOWN - 1), 0.0) > 0, "the newest are known"


@pytest.mark.parametrize(
    ("address", "as_one"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_home_counts_as_one(address: str, as_one: str) -> None:
    assert caller(address) == as_one

"""Rates and windows."""

import pytest

from exgs.protocol import ConnectionConfig, RemoteProtocolError
from exgs.protocol.credit import Credit, RateMeter


def test_the_meter_reads_a_steady_stream() -> None:
    meter = RateMeter()
    for step in range(61):
        meter.add(step * 50_000, step * 0.05)
    assert meter.rate(3.0) == pytest.approx(1e6, rel=0.01)


def test_the_meter_forgets_after_a_second_of_nothing() -> None:
    meter = RateMeter()
    meter.add(0, 0.0)
    meter.add(1000, 0.5)
    assert meter.rate(0.5) == pytest.approx(2000)
    assert meter.rate(1.6) == 0.0
    assert RateMeter().rate(1.0) == 0.0


def test_the_window_is_twice_the_link_within_its_bounds() -> None:
    credit = Credit(ConnectionConfig(min_credit_bytes=100_000, max_credit_bytes=3_000_000))
    credit.sent_bytes = 100_000_000
    assert credit.window(0.1, 0.0) == 100_000
    for step in range(21):
        credit.receipt(step * 100_000, step * 0.1)
    assert credit.window(0.5, 2.0) == pytest.approx(1_000_000, rel=0.05)
    assert credit.window(9.0, 2.0) == 3_000_000
    assert credit.window(None, 2.0) == 100_000


def test_a_receipt_may_not_shrink_or_exceed_what_was_sent() -> None:
    credit = Credit(ConnectionConfig())
    credit.sent_bytes = 1000
    credit.receipt(600, 0.0)
    assert credit.open_bytes == 400
    for count in (599, 1001):
        with pytest.raises(RemoteProtocolError, match=f"receipt for {count}"):
            credit.receipt(count, 0.1)
    assert credit.open_bytes == 400

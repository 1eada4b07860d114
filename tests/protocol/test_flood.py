"""Buckets."""

import pytest

from exgs.protocol import Channel, CloseCode, ConnectionConfig, RemoteProtocolError
from exgs.protocol.flood import FloodGate, LinkGate


def let_through(gate: FloodGate, channel: Channel, now_s: float, count: int) -> int:
    for passed in range(count):
        try:
            gate.pass_one(channel, now_s)
        except RemoteProtocolError as error:
            assert error.close_code is CloseCode.FLOOD
            return passed
    return count


def test_a_burst_of_five_seconds_passes_and_no_more() -> None:
    gate = FloodGate(ConnectionConfig(control_rate_hz=10))
    assert let_through(gate, Channel.CONTROL, 0.0, 100) == 50
    assert let_through(gate, Channel.CONTROL, 0.5, 100) == 5
    assert let_through(gate, Channel.CONTROL, 100.0, 100) == 50


def test_time_that_runs_backwards_fills_nothing() -> None:
    gate = FloodGate(ConnectionConfig(control_rate_hz=10))
    let_through(gate, Channel.CONTROL, 10.0, 100)
    assert let_through(gate, Channel.CONTROL, 5.0, 10) == 0
    assert let_through(gate, Channel.CONTROL, 10.0, 10) == 0


@pytest.mark.parametrize("channel", [Channel.SCENE_0, Channel.SCENE_4])
def test_scene_channels_have_no_bucket(channel: Channel) -> None:
    assert let_through(FloodGate(ConnectionConfig()), channel, 0.0, 50_000) == 50_000


def test_proposals_of_links_have_a_bucket_of_their_own() -> None:
    gate = LinkGate(4)
    assert not gate.lets_in(5, 0.0)
    assert [gate.lets_in(1, 0.0) for _ in range(10)] == [True] * 8 + [False] * 2
    assert not gate.lets_in(1, 4.0)
    assert gate.lets_in(1, 6.0)
    assert not LinkGate(0).lets_in(1, 0.0)

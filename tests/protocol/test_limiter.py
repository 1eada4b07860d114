"""What holds scene data back, and for how long it is remembered."""

import pytest

from exgs.protocol import Channel, ChunkReceived, ConnectionConfig, Role
from exgs.protocol.drivers.pipe import LinkModel
from exgs.protocol.drivers.virtual import VirtualSession
from exgs.protocol.limiter import Limiter, LimiterMeter
from exgs.protocol.messages import OpenScene, Preferences, Receipt
from exgs.protocol.outflow import Outflow


def test_the_one_that_acts_longest_is_named() -> None:
    meter = LimiterMeter()
    assert meter.longest is Limiter.OWNER
    for step in range(100):
        meter.note(Limiter.LINK if step % 10 else Limiter.OWNER, step * 0.01)
    assert meter.longest is Limiter.LINK
    meter.note(Limiter.CREDIT, 1.0)
    meter.note(Limiter.CREDIT, 4.0)
    assert meter.longest is Limiter.CREDIT


def test_each_limiter_is_seen() -> None:
    outflow = Outflow(ConnectionConfig(min_credit_bytes=100_000, min_window_bytes=200_000))
    outflow.open(OpenScene(1))
    assert outflow.limiter(None, 0.0) is Limiter.OWNER
    outflow.queue_manifest(1, bytes(90_000))
    list(outflow.fragments(None, 0.0))
    assert outflow.limiter(None, 0.0) is Limiter.LINK
    outflow.lanes.set_buffered(Channel.SCENE_0, 0)
    outflow.queue_chunk(1, 0, bytes(40_000))
    list(outflow.fragments(None, 0.0))
    outflow.lanes.set_buffered(Channel.SCENE_0, 0)
    assert outflow.limiter(None, 0.0) is Limiter.CREDIT
    outflow.receipt(Receipt(1, outflow.credit.sent_bytes), 0.1)
    outflow.allow(1000)
    list(outflow.fragments(None, 0.1))
    outflow.lanes.set_buffered(Channel.SCENE_0, 0)
    assert outflow.limiter(None, 0.1) is Limiter.CAP


@pytest.mark.parametrize(
    ("case", "limiter"),
    [
        ("slow link", Limiter.LINK),
        ("slow reader", Limiter.CREDIT),
        ("cap", Limiter.CAP),
        ("whole", Limiter.OWNER),
    ],
)
def test_sessions_name_what_holds_them_back(case: str, limiter: Limiter) -> None:
    taken: list[int] = []

    def act(end, now_s: float) -> None:
        while (end.role is Role.SERVER or case != "slow reader" or now_s < 0.5) and (
            event := end.next_event(now_s)
        ) is not None:
            taken.extend([event.chunk] if isinstance(event, ChunkReceived) else [])
            if isinstance(event, OpenScene):
                end.send_manifest(1, b"m", now_s)
        if end.role is Role.SERVER and end.wants_chunk(now_s) and sent[0] < (5 if case == "whole" else 10**6):
            end.send_chunk(1, sent[0], bytes(30_000), now_s)
            sent[0] += 1

    sent = [0]
    rate = 5e6 if case == "slow reader" else 1e6
    session = VirtualSession(up=LinkModel(0.02), down=LinkModel(0.02, rate), act=act)
    session.run_until(0.2)
    session.client.send(OpenScene(1), session.now_s)
    if case == "cap":
        session.client.send(Preferences(max_bytes_per_s=100_000), session.now_s)
    session.run_until(5.0)
    assert session.server.limiter is limiter
    if case == "cap":
        assert len(taken) * 30_000 == pytest.approx(480_000, rel=0.15)
        session.client.send(Preferences(), session.now_s)
        session.run_until(8.0)
        assert session.server.limiter is Limiter.LINK
        assert len(taken) * 30_000 > 3_000_000

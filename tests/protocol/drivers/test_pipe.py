"""Imagined links."""

import pytest

from exgs.protocol import Channel
from exgs.protocol.drivers.pipe import LinkModel, Pipe


def test_rate_and_delay_add_up() -> None:
    pipe = Pipe(LinkModel(delay_s=0.5, bytes_per_s=1000))
    pipe.push(Channel.SCENE_0, bytes(100), 0.0)
    pipe.push(Channel.CONTROL, bytes(200), 0.0)
    assert pipe.buffered_bytes(Channel.CONTROL, 0.1) == 200
    assert pipe.buffered_bytes(Channel.SCENE_0, 0.1) == 0
    assert pipe.pop(0.59) == []
    assert pipe.pop(0.6) == [(Channel.SCENE_0, bytes(100))]
    assert pipe.next_s(0.6) == pytest.approx(0.8)
    assert pipe.pop(0.81) == [(Channel.CONTROL, bytes(200))]
    assert pipe.next_s(0.81) is None


def test_loss_takes_poses_and_delays_the_rest() -> None:
    pipe = Pipe(LinkModel(loss=1.0, retransmit_s=0.2))
    for channel in (Channel.POSE, Channel.CONTROL, Channel.SCENE_0):
        pipe.push(channel, b"x", 0.0)
    assert pipe.pop(0.19) == []
    assert [channel for channel, _ in pipe.pop(0.2)] == [Channel.CONTROL, Channel.SCENE_0]


def test_control_keeps_its_order_under_loss() -> None:
    pipe = Pipe(LinkModel(loss=0.3, seed=2))
    for number in range(100):
        pipe.push(Channel.CONTROL, bytes((number,)), number * 0.01)
    assert [data[0] for _, data in pipe.pop(10.0)] == list(range(100))


def test_the_seed_decides_what_is_lost() -> None:
    def survivors(seed: int) -> list[int]:
        pipe = Pipe(LinkModel(loss=0.5, seed=seed))
        for number in range(200):
            pipe.push(Channel.POSE, bytes((number,)), 0.0)
        return [data[0] for _, data in pipe.pop(0.0)]

    assert survivors(1) == survivors(1) != survivors(2)
    assert 70 < len(survivors(1)) < 130

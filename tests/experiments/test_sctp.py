import random
from itertools import pairwise

import pytest

from exgs.experiments.habits import SCTP, TCP, Habits
from exgs.experiments.packets import Acknowledgement, Packet, Piece
from exgs.experiments.sctp import Association
from exgs.protocol.channels import Channel


class Pair:
    """Two ends a round trip of 100 ms apart, over a link that loses what ``loses`` says."""

    def __init__(self, habits: Habits = SCTP, loss: float = 0.0, seed: int = 0) -> None:
        self.ends = Association(habits), Association(habits)
        self.heard: list[tuple[Channel, bytes]] = []
        self.pieces: list[int] = []
        self.now_s = 0.0
        self._loss, self._random = loss, random.Random(seed)
        self._under_way: list[tuple[float, int, int, Packet]] = []
        self._count = 0

    def run(self, until_s: float) -> None:
        while True:
            self._collect()
            times = [at_s for at_s, *_ in self._under_way]
            times += [at_s for end in self.ends if (at_s := end.next_s()) is not None]
            if not times or min(times) > until_s:
                self.now_s = until_s
                return
            self.now_s = max(self.now_s, min(times))
            for end in self.ends:
                end.handle_timer(self.now_s)
            due = sorted(entry for entry in self._under_way if entry[0] <= self.now_s)
            self._under_way = [entry for entry in self._under_way if entry[0] > self.now_s]
            for _, _, to, packet in due:
                whole = self.ends[to].receive(packet, self.now_s)
                self.heard += [(message.channel, message.data) for message in whole]

    def _collect(self) -> None:
        for index, end in enumerate(self.ends):
            for packet in end.take_leaving():
                self._count += 1
                if isinstance(packet, Piece):
                    self.pieces.append(packet.number)
                if self._random.random() >= self._loss:
                    self._under_way.append((self.now_s + 0.05, self._count, 1 - index, packet))


def test_messages_arrive_whole() -> None:
    pair = Pair()
    said = [bytes([number]) * size for number, size in enumerate((1, 1160, 1161, 16384))]
    for data in said:
        pair.ends[0].send(Channel.SCENE_0, data, 0.0)
    pair.run(5.0)
    assert [data for _, data in pair.heard] == said
    assert pair.ends[0].buffered_bytes(Channel.SCENE_0) == 0
    assert pair.pieces == sorted(pair.pieces), "nothing was sent twice"


@pytest.mark.parametrize("habits", [SCTP, TCP])
@pytest.mark.parametrize("seed", range(3))
def test_what_is_lost_is_sent_again(habits: Habits, seed: int) -> None:
    pair = Pair(habits, loss=0.1, seed=seed)
    said = [bytes([number]) * 16384 for number in range(20)]
    for data in said:
        pair.ends[0].send(Channel.SCENE_0, data, 0.0)
    pair.run(200.0)
    assert sorted(data for _, data in pair.heard) == said
    assert len(pair.pieces) > len(set(pair.pieces))


def test_an_ordered_channel_keeps_its_order_and_a_pose_is_not_repeated() -> None:
    pair = Pair(loss=0.2, seed=5)
    for number in range(100):
        pair.ends[0].send(Channel.CONTROL, bytes([number]), pair.now_s)
        pair.ends[0].send(Channel.POSE, bytes([number]), pair.now_s)
        pair.run(pair.now_s + 0.02)
    pair.run(200.0)
    control = [data[0] for channel, data in pair.heard if channel is Channel.CONTROL]
    poses = [data[0] for channel, data in pair.heard if channel is Channel.POSE]
    assert control == list(range(100))
    assert 50 < len(poses) < 100
    assert len(poses) == len(set(poses))


def test_the_window_doubles_each_round_trip() -> None:
    pair = Pair()
    end = pair.ends[0]
    end.send(Channel.SCENE_0, bytes(60_000), 0.0)
    for number in range(40):
        end.send(Channel.SCENE_0, bytes([number]) * 60_000, 0.0)
    windows = []
    for _ in range(5):
        pair.run(pair.now_s + 0.1)
        windows.append(end.window_bytes)
    assert all(1.6 < later / sooner < 2.1 for sooner, later in pairwise(windows[1:]))
    before = end.window_bytes
    missing = end.receive(Acknowledgement(-1, (), 0), pair.now_s)
    assert missing == [] and end.window_bytes == before, "an old acknowledgement says nothing"


def test_a_silent_peer_is_asked_ever_again_with_one_packet() -> None:
    pair = Pair(loss=1.0)
    pair.ends[0].send(Channel.SCENE_0, bytes(10_000), 0.0)
    pair.run(10.0)
    assert pair.heard == []
    assert pair.ends[0].window_bytes == 1160
    assert pair.pieces == [0, 1, 2, 0, 0, 0]

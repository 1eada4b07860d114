"""Where a session stands, read off its parts."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from exgs.client.gauges import Gauges
from exgs.client.progress import Teller
from exgs.client.recording import Recorder
from exgs.client.statistics import FrameRecord, stages_ms
from exgs.codec import open_container
from exgs.protocol import SCENE_CHANNELS, PathFigures, State
from tests.client.stage import VirtualClock, encoded

CONTAINER = open_container(encoded(40_000, levels=2))
COUNT = len(CONTAINER.manifest)


class Stand:
    """The parts of a session, each with what the gauges read of it."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.line = SimpleNamespace(
            greeted=True, carrier="webrtc", reconnects=1, max_splats=0,
            path=PathFigures(0.02, 0.001, 0.5, 2, 77),
            state=State.OPEN,
            delivered_bytes_per_s=1e6,
            bytes_received=dict.fromkeys(SCENE_CHANNELS, 0),
        )  # fmt: skip
        self.reception = SimpleNamespace(
            first_chunk_s=1000.5, bytes_received=123, limiter="link", lost=None, leaving=False, silent=False
        )
        self.worker = SimpleNamespace(
            held=lambda: np.arange(COUNT) < 2, waiting_bytes=9, corrupt=1, completed_s=None
        )
        self.recorder = Recorder(self.clock, on_first=lambda: None, restorer="tiny")
        self.teller = Teller(lambda news: None, self.clock)

    def gauges(self) -> Gauges:
        scene: Any = SimpleNamespace(name="room\x1b", preamble=CONTAINER.parsed)
        parts: Any = (self.line, self.reception, self.worker, self.recorder)
        return Gauges(scene, *parts, teller=self.teller, clock=self.clock)


def frame(resident: int) -> FrameRecord:
    return FrameRecord(0, 0.0, stages_ms(restore=0.01), resident, 20, 40, (1, 1), 123, restoration="restored")


def test_every_part_has_its_say() -> None:
    stand = Stand()
    stand.teller.offered()
    stand.clock.work(0.25)
    stand.teller.say("answered", "")
    gauges = stand.gauges()
    stand.clock.work(0.75)
    stand.recorder.add(frame(50))
    stand.line.bytes_received[SCENE_CHANNELS[1]] = 500
    status = gauges.read()
    assert (status.at_s, status.answered_s, status.first_chunk_s, status.first_frame_s) == (
        1.0,
        0.25,
        0.5,
        1.0,
    )
    assert (status.connected_s, status.complete_s) == (None, None)
    assert (status.state, status.limiter, status.links, status.reconnects) == ("open", "link", 2, 1)
    assert (status.rtt_ms, status.jitter_ms, status.loss, status.redundant_bytes) == (20.0, 1.0, 0.5, 77)
    assert (status.splats, status.splats_visible, status.splats_resident) == (40, 20, 50)
    assert (status.chunks, status.chunks_expected, status.chunks_corrupt) == (2, COUNT, 1)
    assert sum(level.chunks for level in status.levels) == 2
    assert [(share.link, share.bytes_received) for share in status.connections] == [(1, 500)]
    assert (status.decode_waiting_bytes, status.frame_ms_p50) == (9, pytest.approx(10.0))
    assert (status.restorer, status.restoration, status.frames_restored) == ("tiny", "restored", 1)
    assert "\x1b" not in status.scene
    stand.recorder.add(replace(frame(50), dropped=True, restoration=None))
    assert gauges.read().restoration == "restored", "that picture is still on display"


@pytest.mark.parametrize(
    ("changes", "state", "limiter"),
    [
        ({"silent": True}, "silent", "silence"),
        ({"lost": "why"}, "lost", "silence"),
        ({"leaving": True}, "ended", "link"),
        ({"limiter": "complete"}, "open", "complete"),
        ({"limiter": "complete", "lost": "why"}, "lost", "complete"),
    ],
)
def test_the_state_and_what_it_does_to_the_limiter(changes: dict[str, Any], state: str, limiter: str) -> None:
    stand = Stand()
    vars(stand.reception).update(changes)
    status = stand.gauges().read()
    assert (status.state, status.limiter) == (state, limiter)


def test_a_connection_that_is_not_open_is_looked_for() -> None:
    stand = Stand()
    stand.line.state = State.CLOSED
    assert stand.gauges().read().state == "reconnecting"


@pytest.mark.parametrize(("resident", "limiter"), [(800, "link"), (950, "budget")])
def test_a_full_budget_is_named(resident: int, limiter: str) -> None:
    stand = Stand()
    stand.line.max_splats = 1000
    stand.recorder.add(frame(resident))
    status = stand.gauges().read()
    assert (status.limiter, status.splats_budget) == (limiter, 1000)

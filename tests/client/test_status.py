"""Figures of a session: what goes to the server, what goes into a log, and rates of connections."""

import json
from dataclasses import replace

import pytest

from exgs.client.levels import LevelShare
from exgs.client.status import LinkMeter, LinkShare, Status
from exgs.server.metrics import MAX_CLIENT_MEASURES

STATUS = Status(
    2.0,
    carrier="webrtc",
    answered_s=0.1,
    connected_s=0.2,
    manifest_s=0.25,
    first_chunk_s=0.3,
    first_frame_s=1 / 3,
    complete_s=1.5,
    rtt_ms=23.0,
    connections=(LinkShare(1, 10, 2.5),),
    levels=(LevelShare(0, 1, 2, 30, 40),),
)


def test_the_server_keeps_every_figure_it_is_sent() -> None:
    measures = STATUS.measures()
    assert len(measures) <= MAX_CLIENT_MEASURES
    assert measures["rtt_ms"] == 23.0 and measures["first_frame_s"] == pytest.approx(1 / 3)
    assert all(type(value) is float for value in measures.values())


def test_what_is_not_known_is_not_sent() -> None:
    assert {"rtt_ms", "complete_s"}.isdisjoint(Status(0.0).measures())


def test_json_has_every_field_and_plain_values() -> None:
    document = json.loads(json.dumps(STATUS.to_json(), allow_nan=False))
    assert set(document) == set(Status.__dataclass_fields__)
    assert document["first_frame_s"] == 0.333333
    assert document["connections"] == [{"link": 1, "bytes_received": 10, "bytes_per_s": 2.5}]
    assert document["levels"][0]["splats_shown"] == 30
    assert replace(STATUS, rtt_ms=None).to_json()["rtt_ms"] is None


def test_rates_are_over_the_last_second() -> None:
    meter = LinkMeter()
    assert meter.note(0.0, (0, 0, 0)) == ()
    for quarter in range(1, 13):
        shares = meter.note(quarter / 4, (0, 1000 * quarter, 10 * quarter if quarter > 8 else 0))
    assert shares == (LinkShare(1, 12_000, 4000.0), LinkShare(2, 120, pytest.approx(120.0)))


def test_a_new_session_counts_anew() -> None:
    meter = LinkMeter()
    meter.note(0.0, (5000,))
    meter.note(1.0, (9000,))
    assert meter.note(1.25, (100,)) == (LinkShare(0, 100, 0.0),)
    assert meter.note(1.75, (200,)) == (LinkShare(0, 200, 200.0),)

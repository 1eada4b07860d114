"""Figures: each has its row in the manual, and no viewer can make them grow without bound."""

import re
from pathlib import Path

import pytest

from exgs.server.metrics import MAX_CLIENT_MEASURES, Metrics, total

MANUAL = Path(__file__).resolve().parents[2] / "docs" / "server.md"


def test_every_figure_is_in_the_manual_and_the_other_way_round() -> None:
    here = {family.name for family in Metrics().registry.collect() if family.name.startswith("exgs_")}
    listed = set(re.findall(r"\bexgs_[a-z_]+", MANUAL.read_text(encoding="utf-8")))
    assert {name.removesuffix("_total") for name in listed} == here


def test_two_servers_share_no_figure() -> None:
    one, two = Metrics(), Metrics()
    one.sent_chunks.inc(5)
    assert b"exgs_chunks_sent_total 5.0" in one.text() and b"exgs_chunks_sent_total 0.0" in two.text()


def test_a_viewer_can_name_only_so_many_measures() -> None:
    metrics = Metrics()
    for number in range(100):
        metrics.note_client("a", {f"measure_{number}": 1.0})
    metrics.note_client("a", {"measure_0": 2.0})
    assert metrics.text().count(b"exgs_client{") == MAX_CLIENT_MEASURES
    assert b'exgs_client{measure="measure_0",session="a"} 2.0' in metrics.text()
    metrics.forget_client("a")
    metrics.forget_client("a")
    assert b"exgs_client{" not in metrics.text()


def test_a_total_is_over_all_labels() -> None:
    metrics = Metrics()
    metrics.refused.labels("full").inc(2)
    metrics.refused.labels("token").inc(3)
    metrics.encodings.inc()
    assert (total(metrics.refused), total(metrics.encodings), total(metrics.opened)) == (5, 1, 0)


def test_encodings_are_timed_by_result() -> None:
    metrics = Metrics()
    with metrics.encoding():
        assert b"exgs_encodings_running 1.0" in metrics.text()
    with pytest.raises(ValueError), metrics.encoding():
        raise ValueError
    text = metrics.text()
    assert b'exgs_encode_seconds_count{result="done"} 1.0' in text
    assert b'exgs_encode_seconds_count{result="failed"} 1.0' in text
    assert b"exgs_encodings_running 0.0" in text

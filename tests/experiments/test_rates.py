"""Rates and traces."""

from pathlib import Path

import pytest

from exgs.experiments.errors import ExperimentError
from exgs.experiments.rates import Rate, parse_rate, read_rate


def test_a_constant_rate_is_size_over_rate_whenever_it_begins() -> None:
    rate = Rate.constant(8.0)
    assert rate.mean_mbps == pytest.approx(8.0)
    for start_s in (0.0, 0.25, 1.0, 17.9):
        assert rate.finished_s(start_s, 500_000) == pytest.approx(start_s + 0.5)
    assert rate.finished_s(2.0, 4_000_000) == pytest.approx(6.0)


def test_a_trace_of_seconds_and_megabits_holds_each_rate_and_repeats() -> None:
    rate = parse_rate("# a comment\n0 8\n1 0\n2 16\n\n")
    assert rate.finished_s(0.0, 500_000) == pytest.approx(0.5)
    assert rate.finished_s(0.5, 500_001) == pytest.approx(2.0, abs=1e-5)
    assert rate.finished_s(1.5, 1_000_000) == pytest.approx(2.5)
    assert rate.finished_s(2.75, 1_000_000) == pytest.approx(3.5)
    assert rate.mean_mbps == pytest.approx(8.0)


def test_what_ends_with_its_period_is_not_late_by_a_pause() -> None:
    rate = parse_rate("0 0\n1 8\n")
    assert rate.finished_s(1.0, 1_000_000) == pytest.approx(2.0)
    assert rate.finished_s(0.0, 1_000_000) == pytest.approx(2.0)
    assert rate.finished_s(2.0, 10) == pytest.approx(3.0, abs=1e-4)


def test_a_mahimahi_trace_gives_1500_bytes_a_line() -> None:
    rate = parse_rate("1\n2\n2\n10\n")
    assert rate.mean_mbps == pytest.approx(4 * 1500 * 8 / 1e6 / 0.010)
    assert rate.finished_s(0.0, 1500) == pytest.approx(0.001)
    assert rate.finished_s(0.0, 4500) == pytest.approx(0.002)
    assert rate.finished_s(0.002, 1500) == pytest.approx(0.010)
    assert rate.finished_s(0.010, 1500) == pytest.approx(0.011)


def test_finishing_times_never_fall() -> None:
    rate = parse_rate("0 3\n0.7 0\n1.1 5.5\n2.4 0.01\n")
    now_s = 0.0
    for size in range(1, 3000, 7):
        later_s = rate.finished_s(now_s, size)
        assert later_s >= now_s
        now_s = later_s


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "one number a line"),
        ("1 2 3\n", "one number a line"),
        ("1\n2 3\n", "one number a line"),
        ("0 nan\n", "line 1: 'nan'"),
        ("0 1\n1 -4\n", "line 2: '-4'"),
        ("0 1\n0 2\n", "times that grow"),
        ("0 0\n", "nothing is ever carried"),
        ("x\n", "line 1: 'x'"),
        ("9e99\n", "line 1"),
    ],
)
def test_what_is_no_trace_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(ExperimentError, match=complaint):
        parse_rate(text)


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="absent"):
        read_rate(tmp_path / "absent.txt")
    (tmp_path / "picture").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExperimentError, match=r"picture: no text"):
        read_rate(tmp_path / "picture")


@pytest.mark.shared
def test_the_shared_traces_can_be_read(shared_data: Path) -> None:
    traces = [
        path
        for path in sorted((shared_data / "network-traces").rglob("*"))
        if path.suffix in (".txt", ".down")
    ]
    assert len(traces) >= 10
    for path in traces:
        assert 0.05 < read_rate(path).mean_mbps < 100, path

"""One JSON object a second."""

import json
from pathlib import Path

import pytest

from exgs.client.errors import ClientError
from exgs.client.status import Status
from exgs.client.status_log import StatusLog


def test_a_line_for_each_second_and_one_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with StatusLog(path) as log:
        for quarter in range(2, 18):
            log.note(Status(quarter / 4 + 0.01))
        assert len(path.read_text().splitlines()) == 5, "it is to be read while the session goes on"
        log.note(Status(4.5), last=True)
    times = [json.loads(line)["at_s"] for line in path.read_text().splitlines()]
    assert times == [0.51, 1.01, 2.01, 3.01, 4.01, 4.5]


def test_a_pause_is_not_made_up_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with StatusLog(path) as log:
        for at_s in (0.5, 10.0, 10.25, 10.5, 10.75, 11.0):
            log.note(Status(at_s))
    times = [json.loads(line)["at_s"] for line in path.read_text().splitlines()]
    assert times == [0.5, 10.0, 11.0]


def test_without_a_path_nothing_is_written(tmp_path: Path) -> None:
    with StatusLog(None) as log:
        log.note(Status(1.0), last=True)
    assert not list(tmp_path.iterdir())


def test_faults_of_the_disk_are_named(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="nowhere"):
        StatusLog(tmp_path / "nowhere" / "a.jsonl")
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full to stand for a full disk")
    (tmp_path / "a.jsonl").symlink_to("/dev/full")
    with pytest.raises(ClientError, match="No space left"), StatusLog(tmp_path / "a.jsonl") as log:
        log.note(Status(1.0))

"""Rows are kept as they come, and found again."""

import json
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.codec.rows import KEPT, Row, Rows, meets

DONE = Row("massa", "ugc", 1000, 100_000, ratio=100.0, bytes=990, splats=90, psnr=30.5)
ABSENT = Row("massa", "sog", 0, 100_000, note="not installed")


def test_rows_are_there_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "out" / "rows.jsonl"
    Rows(path).add(DONE)
    again = Rows(path)
    assert again.known(DONE.key) == DONE
    assert list(again) == [DONE]


def test_what_was_absent_is_tried_again_but_not_twice_in_a_run(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = Rows(path)
    rows.add(ABSENT)
    assert rows.known(ABSENT.key) == ABSENT
    again = Rows(path)
    assert again.known(ABSENT.key) is None
    assert list(again) == [ABSENT]


def test_a_system_can_be_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = Rows(path)
    rows.add(DONE)
    rows.add(ABSENT)
    assert list(Rows(path, forget=["ugc"])) == [ABSENT]
    assert [json.loads(line) for line in path.read_text().splitlines()] == [asdict(ABSENT)]


def test_the_last_row_of_a_key_counts(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = Rows(path)
    rows.add(Row(DONE.scene, DONE.system, DONE.budget, DONE.float_bytes, note="failed: no memory"))
    rows.add(DONE)
    assert list(Rows(path)) == [DONE]


def test_a_peer_is_met_by_the_largest_file_that_is_no_larger() -> None:
    ours = [replace(DONE, budget=size, bytes=size) for size in (4000, 4900, 4950, 5001)]
    peer = replace(DONE, system="sog", budget=0, bytes=5000)
    assert meets(peer, ours) == ours[2]
    assert meets(peer, ours[:1]) is None
    all_it_can = replace(DONE, budget=5000, bytes=3000)
    assert meets(peer, [all_it_can]) == all_it_can
    assert meets(replace(peer, scene="guitar"), ours) is None


def test_what_is_kept_need_not_be_measured_again_and_newer_rows_come_before_it(tmp_path: Path) -> None:
    kept, path = tmp_path / "kept.jsonl", tmp_path / "rows.jsonl"
    Rows(kept).add(DONE)
    assert Rows(path, kept=kept).known(DONE.key) == DONE
    newer = replace(DONE, psnr=1.0)
    Rows(path, kept=kept).add(newer)
    assert Rows(path, kept=kept).known(DONE.key) == newer
    assert len(kept.read_text().splitlines()) == 1, "nothing is written there"


def test_the_rows_that_come_with_the_repository_are_of_other_systems() -> None:
    rows = list(Rows(KEPT))
    assert rows and all(row.done and row.system != "ugc" and row.judge == "referee" for row in rows)

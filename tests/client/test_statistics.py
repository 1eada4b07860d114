import csv
from dataclasses import replace
from pathlib import Path

import pytest

from exgs.client.errors import ClientError
from exgs.client.statistics import STAGES, FrameLog, FrameRecord, FrameTally, stages_ms

RECORD = FrameRecord(
    tick=3,
    due_s=0.1,
    stages_ms=stages_ms(pose_sample=0.0001, sort_and_raster=0.0123, present=0.002),
    splats_resident=50,
    splats_visible=20,
    splats_drawn=40,
    chunks_by_level=(0, 1, 2),
    bytes_received=12345,
)


def test_stages_add_up_to_the_total():
    assert RECORD.total_ms == pytest.approx(14.4)
    assert len(RECORD.stages_ms) == len(STAGES)


def test_stages_that_were_not_named_are_zero():
    by_name = dict(zip(STAGES, RECORD.stages_ms, strict=True))
    assert by_name["sort_and_raster"] == pytest.approx(12.3)
    assert by_name["network"] == by_name["uplink"] == by_name["select"] == by_name["decode"] == 0


def test_an_unknown_stage_is_refused():
    with pytest.raises(ValueError, match="warp"):
        stages_ms(warp=1.0)


def test_the_tally_counts_every_kind_and_times_only_what_was_shown():
    tally = FrameTally()
    for milliseconds in range(1, 101):
        tally.add(replace(RECORD, stages_ms=stages_ms(restore=milliseconds / 1000), late=milliseconds > 90))
    for _ in range(7):
        tally.add(replace(RECORD, stages_ms=stages_ms(), dropped=True))
    tally.add(replace(RECORD, stages_ms=stages_ms(restore=0.05), stale=True, restoration="restored"))
    assert (tally.shown, tally.late, tally.stale, tally.dropped) == (101, 10, 1, 7)
    assert tally.percentiles_ms() == pytest.approx((50.0, 95.0, 99.0), abs=1.01)
    for verdict in ("rich", "rich", "whole", "unsure", "whole", "whole", "budget"):
        tally.add(replace(RECORD, restoration=verdict))
    assert (tally.restored, tally.rich, tally.whole, tally.unsure) == (1, 2, 3, 1)


def test_the_tally_grows_beyond_its_first_room():
    tally = FrameTally()
    for _ in range(3000):
        tally.add(RECORD)
    assert tally.shown == 3000
    assert tally.percentiles_ms()[0] == pytest.approx(14.4, abs=1e-3)


def test_an_empty_tally_has_zeros():
    assert FrameTally().percentiles_ms() == (0.0, 0.0, 0.0)


def test_the_log_has_one_row_per_tick_whose_stages_add_up(tmp_path: Path):
    path = tmp_path / "frames.csv"
    log = FrameLog(path, levels=3)
    log.add(RECORD)
    log.add(replace(RECORD, tick=4, stages_ms=stages_ms(), dropped=True, restoration=None))
    assert not path.exists()
    log.finish()
    assert [entry.name for entry in tmp_path.iterdir()] == ["frames.csv"]
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [row["tick"] for row in rows] == ["3", "4"]
    for row in rows:
        assert sum(float(row[f"{stage}_ms"]) for stage in STAGES) == pytest.approx(
            float(row["total_ms"]), abs=1e-6
        )
    assert rows[0]["chunks_level_2"] == "2"
    assert rows[0]["bytes_received"] == "12345"
    assert [row["dropped"] for row in rows] == ["0", "1"]
    assert [row["restoration"] for row in rows] == ["off", ""]


def test_an_abandoned_log_leaves_nothing(tmp_path: Path):
    log = FrameLog(tmp_path / "frames.csv", levels=1)
    log.add(replace(RECORD, chunks_by_level=(1,)))
    log.abandon()
    assert not list(tmp_path.iterdir())


def test_a_missing_folder_is_named(tmp_path: Path):
    with pytest.raises(ClientError, match="nowhere"):
        FrameLog(tmp_path / "nowhere" / "frames.csv", levels=1)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
def test_a_full_disk_is_an_error(tmp_path: Path):
    (tmp_path / ".frames.csv.partial").symlink_to("/dev/full")
    log = FrameLog(tmp_path / "frames.csv", levels=3)
    with pytest.raises(ClientError, match="No space left"):
        for _ in range(1000):
            log.add(RECORD)
    log.abandon()
    assert not (tmp_path / "frames.csv").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
def test_a_disk_that_is_full_at_the_end_is_left_with_nothing(tmp_path: Path):
    (tmp_path / ".frames.csv.partial").symlink_to("/dev/full")
    log = FrameLog(tmp_path / "frames.csv", levels=3)
    log.add(RECORD)
    with pytest.raises(ClientError, match=r"frames\.csv: No space left"):
        log.finish()
    assert not list(tmp_path.iterdir())

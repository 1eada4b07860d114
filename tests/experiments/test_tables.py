"""Tables, comparisons and plots of sessions."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from exgs.experiments.comparing import comparisons, overview
from exgs.experiments.figures import STAGES
from exgs.experiments.plots import PLOTS, write_plots
from exgs.experiments.records import Record
from exgs.experiments.tables import aligned, seconds, to_csv, write_tables

KINDS = {"ours": "error", "level": "level", "sog": "sog"}


def record(system: str, first_s: float | None, psnr: float, **more: Any) -> Record:
    names = {
        "scene": "room", "ratio": "" if system == "sog" else "1/20", "link": "slow", "head": "walk",
        "system": system, "seed": 1, **more,
    }  # fmt: skip
    complete = 3.0 if first_s is not None else None
    summary = {
        "scene_bytes": 1000, "first_frame_s": first_s, "nearly_final_s": first_s, "complete_s": complete,
        "psnr_mean": psnr, "psnr_p5": psnr - 5, "psnr_final": 40.0, "ssim_mean": 0.9, "missing_mean": 0.1,
        "stalls": 0, "bytes_received": 900, "goodput_mbps": 1.5, "seconds": 4.0,
        **{stage: None if first_s is None else first_s / 4 for stage in STAGES},
    }  # fmt: skip
    frames = tuple(
        {"time_s": time_s, "psnr": psnr + time_s, "seen": 0.5, "bytes_received": 200 * time_s}
        for time_s in (0.5, 1.5, 2.5, 3.5)
    )
    return Record(names, "virtual", summary, frames, ({"chunk": 0, "chosen_s": 0.1, "received_s": first_s},))


def sessions() -> list[Record]:
    return [
        record("ours", 0.5, 30.0),
        record("level", 0.5, 27.0),
        record("sog", 2.0, 20.0),
        record("ours", 0.4, 31.0, seed=2),
        record("level", 0.8, 26.0, seed=2),
        record("sog", None, 10.0, seed=2),
        Record({**record("sog", None, 0).names, "seed": 3}, "virtual", {}, note="not installed"),
    ]


def read(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_systems_are_compared_where_both_were_played() -> None:
    level, sog = comparisons(sessions(), KINDS)
    assert (level["system"], level["against"], level["sessions"]) == ("ours", "level", 2)
    assert level["psnr_gain_db"] == 4 and level["psnr_gain_loading_db"] == 4
    assert level["first_frame_ratio"] == pytest.approx(np.sqrt(2), abs=1e-3)
    assert not level["first_frame_at_least"]
    assert sog["psnr_gain_db"] == 15.5
    assert sog["first_frame_ratio"] == pytest.approx(np.sqrt(4 * 10), abs=1e-3)
    assert sog["first_frame_at_least"]
    assert comparisons(sessions(), {"level": "level"}) == []


@pytest.mark.parametrize(
    ("whole_s", "chosen", "counted"),
    [(0.3, (0.1, 0.4), 1), (0.5, (0.1, 0.4), 0), (None, (0.1, 0.4), 0), (0.3, (0.1,), 0)],
)
def test_downloads_that_are_whole_before_the_session_is_up_are_counted(
    whole_s: float | None, chosen: tuple[float, ...], counted: int
) -> None:
    mine, its = record("ours", 0.4, 30.0), record("level", 0.4, 31.0)
    mine = replace(mine, chunks=tuple({"chosen_s": at_s} for at_s in chosen))
    its = replace(its, summary={**its.summary, "complete_s": whole_s})
    (row,) = comparisons([mine, its], KINDS)
    assert row["whole_before_session"] == counted


def test_the_overview_has_a_row_for_each_link_and_system() -> None:
    rows = overview(sessions())
    assert [row[1] for row in rows] == ["system", "ours", "level", "sog"]
    assert rows[1][2] == "0.45" and rows[1][4] == "30.50"
    assert rows[3][2] == ">3.00"
    lines = aligned(rows).splitlines()
    assert len({len(line) for line in lines}) == 1
    assert seconds(None) == "never" and seconds(1.234) == "1.23 s"


def test_tables_are_written_for_programs(tmp_path: Path) -> None:
    written = write_tables(tmp_path, sessions(), {"experiment": "x"})
    assert {path.name for path in written} >= {"frames.csv", "chunks.csv", "summary.csv", "summary.json"}
    frames = read(tmp_path / "frames.csv")
    assert len(frames) == 24 and frames[0]["system"] == "ours" and float(frames[1]["psnr"]) == 31.5
    summary = read(tmp_path / "summary.csv")
    assert len(summary) == 7
    assert summary[5]["first_frame_s"] == "" and summary[6]["note"] == "not installed"
    document = json.loads((tmp_path / "summary.json").read_text())
    assert document["experiment"] == "x" and document["sessions"][5]["first_frame_s"] is None


def test_a_table_without_rows_is_a_line() -> None:
    assert to_csv([]) == "\n"
    assert list(csv.reader(io.StringIO(to_csv([{"a": 1}, {"b": 2}])))) == [["a", "b"], ["1", ""], ["", "2"]]


def test_every_plot_is_drawn(tmp_path: Path) -> None:
    written = write_plots(tmp_path, sessions(), "A title")
    assert [path.stem for path in written] == list(PLOTS)
    for path in written:
        picture = np.asarray(Image.open(path).convert("RGB"))
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 20, path

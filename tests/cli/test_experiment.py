"""``exgs experiment``: a grid from a file to tables and plots."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from exgs.cli import experiment
from exgs.scene.formats import atomic

Command = Callable[..., tuple[int, str, str]]

SMALL = """
seconds = 3
frames_per_second = 2
size = [48, 32]
[[scene]]
source = "{scene}"
stream = "{stream}"
[[link]]
mbps = 4
[[system]]
name = "ours"
kind = "error"
[[system]]
kind = "download"
[[system]]
kind = "sog"
"""


@pytest.fixture
def config(scene_path: Path, encoded: tuple[Path, object], tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    text = SMALL.format(scene=scene_path, stream=encoded[0])
    path.write_text(f'splat_transform = "no-such-program"\n{text}')
    return path


@pytest.fixture(autouse=True)
def same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever edits the program while the tests run does not disturb them."""
    monkeypatch.setattr("exgs.experiments.running.code_checksum", lambda: "the code")


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def test_a_grid_becomes_tables_and_plots(exgs: Command, config: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("experiment", config, "--out", out, "--cache", tmp_path / "cache", "--jobs", 2)
    code, said, _ = exgs(*command)
    assert code == 0
    assert "ours against download, 1 session: " in said
    assert "sog: no-such-program is not installed" in said
    summary = rows(out / "summary.csv")
    assert [row["system"] for row in summary] == ["ours", "download", "sog"]
    assert float(summary[0]["first_frame_s"]) > 0
    assert float(summary[0]["psnr_mean"]) > 10
    assert summary[0]["mode"] == "virtual"
    assert len(rows(out / "frames.csv")) == 12
    assert sum(int(row["size_bytes"]) for row in rows(out / "chunks.csv") if row["system"] == "ours") > 0
    assert (out / "experiment.toml").read_text() == config.read_text()
    assert {path.name for path in out.glob("*.png")} >= {"latency.png", "quality-over-time.png"}

    code, said, _ = exgs(*command, "--json")
    assert code == 0
    document = json.loads(said)
    again = [row.get("first_frame_s") for row in document["sessions"]]
    assert again == [float(row["first_frame_s"]) if row["first_frame_s"] else None for row in summary]
    assert document["made_with"]["mode"] == "virtual" and document["made_with"]["exgs"]


def test_a_dry_run_says_what_it_will_take_and_writes_nothing(
    exgs: Command, config: Path, tmp_path: Path
) -> None:
    code, said, _ = exgs("experiment", config, "--out", tmp_path / "out", "--dry-run", "--real")
    assert code == 0
    assert "3 sessions, 18 judged frames, 0 encodings" in said
    assert "4.00 Mbit/s on average, 25 ms each way" in said
    assert not (tmp_path / "out").exists()
    code, said, _ = exgs("experiment", config, "--dry-run", "--json")
    assert code == 0 and json.loads(said)["sessions"] == 3


def test_results_of_another_experiment_are_not_replaced_unasked(
    exgs: Command, config: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "mine.txt").write_text("mine")
    code, _, error = exgs("experiment", config, "--out", out)
    assert code == 2 and "holds other files" in error
    (out / "experiment.toml").write_text("name = 'other'")
    code, _, error = exgs("experiment", config, "--out", out)
    assert code == 2 and "another experiment" in error
    code, _, error = exgs("experiment", config, "--out", out / "mine.txt")
    assert code == 2 and "no folder" in error


@pytest.mark.parametrize("small", [0, 2])
def test_a_comparison_says_where_there_was_nothing_to_order(small: int) -> None:
    row = {
        "system": "ours", "against": "download", "sessions": 3, "psnr_gain_db": -2.0,
        "psnr_gain_loading_db": None, "first_frame_ratio": None, "whole_before_session": small,
    }  # fmt: skip
    first, *more = experiment._compared(row)
    assert first == "ours against download, 3 sessions: -2.00 dB"
    assert len(more) == (1 if small else 0)
    assert not more or more[0].startswith("  in 2 of 3 download was whole before the handshakes of ours")


def test_mistakes_are_one_line(exgs: Command, tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_text("[[link]]\nmpbs = 3")
    code, _, error = exgs("experiment", path, "--out", tmp_path / "out")
    assert code == 1
    assert error.count("\n") == 1 and "link 1: unknown key 'mpbs'" in error
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full to stand for a full disk")
@pytest.mark.parametrize("full", ["experiment.toml", "rows", "quality-over-time.png"])
def test_a_full_disk_is_told_with_the_file_that_did_not_fit(
    exgs: Command, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full: str
) -> None:
    create = atomic._create

    def created(path: Path) -> tuple[BinaryIO, Path]:
        if full in path.parts:
            return Path("/dev/full").open("wb"), path.with_name("no such part")
        return create(path)

    monkeypatch.setattr(atomic, "_create", created)
    out = tmp_path / "out"
    code, _, err = exgs("experiment", config, "--out", out, "--cache", tmp_path / "cache", "--jobs", 1)
    assert code == 1
    assert err.splitlines()[-1].startswith(f"exgs: {out / full}")
    assert err.splitlines()[-1].endswith("cannot be written (No space left on device)")

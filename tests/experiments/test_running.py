"""A grid at work, over an engine that plays by hand."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exgs.experiments.config import ExperimentConfig, SystemSpec
from exgs.experiments.config_file import parse_config
from exgs.experiments.errors import ExperimentError
from exgs.experiments.grid import cells
from exgs.experiments.material import Workbench
from exgs.experiments.records import Record, Records
from exgs.experiments.running import Engine, Experiment
from exgs.experiments.timeline import Timeline, Trial
from exgs.raster import choose_rasterizer
from exgs.scene import write_scene
from tests.experiments.sessions import ball, container, timeline


class Hand:
    """Plays: everything is there after half a second at 20 Mbit/s, later on slower links."""

    def __init__(self) -> None:
        self.trials: list[Trial] = []

    def __call__(self, trial: Trial) -> Timeline:
        self.trials.append(trial)
        assert trial.down.rate is not None
        if trial.seed == 13:
            raise ExperimentError("the link broke")
        last_s = 10 / trial.down.rate.mean_mbps
        count = len(container().manifest)
        if trial.system == "download":
            return timeline([last_s] * count)
        return timeline(np.linspace(last_s / 2, last_s, count).tolist())


@pytest.fixture(autouse=True)
def same_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever edits the program while the tests run does not disturb them."""
    monkeypatch.setattr("exgs.experiments.running.code_checksum", lambda: "the code")


@pytest.fixture
def grid(tmp_path: Path) -> ExperimentConfig:
    write_scene(tmp_path / "ball.ply", ball())
    (tmp_path / "ball.ugc").write_bytes(container().data)
    document = {
        "seconds": 4,
        "frames_per_second": 1,
        "size": [48, 32],
        "scene": [{"name": "ball", "source": "ball.ply", "stream": "ball.ugc"}],
        "link": [{"mbps": 20}, {"mbps": 5}],
        "system": [{"kind": "error"}, {"kind": "download"}, {"kind": "sog"}],
        "splat_transform": "no-such-program",
    }
    return parse_config(document, "ball", where="ball", folder=tmp_path)


def run(config: ExperimentConfig, folder: Path, play: Hand, *, ahead: bool = True) -> list[Record]:
    rasterizer = choose_rasterizer("cpu", threads=1)
    bench = Workbench(
        folder / "cache", rasterizer, splat_transform=config.splat_transform, say=lambda line: None
    )
    engine = Engine(play, "virtual", ahead=ahead)
    records = Records(folder / "out")
    return list(Experiment(config, bench, records, engine=engine, jobs=2, rasterizer=rasterizer).run())


@pytest.mark.parametrize("ahead", [True, False])
def test_every_session_is_played_judged_and_named(
    grid: ExperimentConfig, tmp_path: Path, ahead: bool
) -> None:
    play = Hand()
    records = run(grid, tmp_path, play, ahead=ahead)
    assert [record.names for record in records] == [cell.names for cell in cells(grid)]
    assert len(play.trials) == 4
    rows = {(record.names["link"], record.names["system"]): record for record in records}
    assert rows["20 Mbit/s", "error"].summary["first_frame_s"] <= 0.5
    assert rows["5 Mbit/s", "download"].summary["first_frame_s"] == 2.0
    assert rows["20 Mbit/s", "error"].summary["psnr_mean"] > rows["5 Mbit/s", "download"].summary["psnr_mean"]
    assert all(len(record.frames) == 4 for record in records if record.summary)
    sog = rows["20 Mbit/s", "sog"]
    assert not sog.summary and "no-such-program is not installed" in sog.note


def test_what_is_finished_is_not_played_again(grid: ExperimentConfig, tmp_path: Path) -> None:

    first = run(grid, tmp_path, Hand())
    again = Hand()
    resumed = run(grid, tmp_path, again)
    assert [replace(record, kept=False) for record in resumed] == first
    assert {record.row["kept"] for record in first} == {0}
    assert {record.row["kept"] for record in resumed if record.summary} == {1}
    assert again.trials == []
    run(replace(grid, seeds=(1, 2)), tmp_path, again)
    assert {trial.seed for trial in again.trials} == {2}
    renamed = replace(grid, links=(replace(grid.links[0], name="fast"), grid.links[1]))
    assert "fast" in {record.names["link"] for record in run(renamed, tmp_path, again)}
    assert len(again.trials) == 4
    for damaged in (tmp_path / "out" / "rows").glob("*.json"):
        damaged.write_text("{")
    assert run(grid, tmp_path, again) == first
    assert len(again.trials) == 8


def test_a_session_that_fails_leaves_the_others_alone(grid: ExperimentConfig, tmp_path: Path) -> None:

    play = Hand()
    records = run(replace(grid, seeds=(13, 1)), tmp_path, play)
    failed = [record for record in records if record.note.startswith("failed")]
    assert {record.note for record in failed} == {"failed: the link broke"}
    assert len(failed) == 4 and all(record.names["seed"] == 13 for record in failed)
    assert sum(bool(record.summary) for record in records) == 4
    run(replace(grid, seeds=(13,)), tmp_path, play)
    assert len(play.trials) == 12  # failures are tried again


def test_a_budget_that_shows_nothing_fails_alone(grid: ExperimentConfig, tmp_path: Path) -> None:
    tiny = replace(grid, systems=(*grid.systems[:1], SystemSpec("tiny", "error", max_splats=1)))
    records = run(tiny, tmp_path, Hand())
    notes = {record.note for record in records if record.names["system"] == "tiny"}
    assert len(notes) == 1 and "the coarsest level alone has" in notes.pop()
    assert all(record.summary for record in records if record.names["system"] != "tiny")


def test_a_stream_in_other_axes_than_its_source_is_refused(tmp_path: Path, grid: ExperimentConfig) -> None:

    write_scene(tmp_path / "turned.spz", ball())
    scene = replace(grid.scenes[0], source=tmp_path / "turned.spz")
    with pytest.raises(ExperimentError, match="its axes are RDF, those of its source RUB"):
        run(replace(grid, scenes=(scene,)), tmp_path, Hand())


def test_scenes_are_encoded_once(tmp_path: Path) -> None:
    write_scene(tmp_path / "ball.ply", ball())
    document = {
        "seconds": 4, "frames_per_second": 0.5, "size": [48, 32], "system": [{"kind": "error"}],
        "scene": [{"source": "ball.ply", "ratios": [10], "views": 12}],
    }  # fmt: skip
    config = parse_config(document, "ball", where="ball", folder=tmp_path)
    said: list[str] = []
    for _ in range(2):
        bench = Workbench(tmp_path, choose_rasterizer("cpu"), splat_transform="none", say=said.append)
        source = bench.source(config.scenes[0])
        made = bench.encoded(source, config.scenes[0].sizes[0])
    assert said == ["encoding ball.ply at 1/10"]
    assert len(made.data) <= ball().float_bytes / 10

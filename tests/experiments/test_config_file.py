"""Experiments as files: what is understood, and what is refused in one line that names the key."""

from pathlib import Path

import pytest

from exgs.codec import EncodeConfig
from exgs.experiments.config import KINDS, ExperimentConfig, Generated, SceneSpec, Size
from exgs.experiments.config_file import read_config
from exgs.experiments.errors import ExperimentError
from exgs.experiments.link import BurstLoss
from exgs.experiments.plan import described


def read(folder: Path, text: str) -> ExperimentConfig:
    path = folder / "first.toml"
    path.write_text(text, encoding="utf-8")
    return read_config(path)


def test_an_empty_file_is_an_experiment_without_any_other_file(tmp_path: Path) -> None:
    config = read(tmp_path, "")
    assert config.name == "first"
    assert config.scenes == (SceneSpec("interior", Generated()),)
    assert [system.kind for system in config.systems] == list(KINDS)
    assert [link.name for link in config.links] == ["20 Mbit/s"]
    assert config.links[0].down.delay_s == config.links[0].up.delay_s == 0.025
    assert len(config.heads) == len(config.seeds) == 1


def test_every_key_is_understood(tmp_path: Path) -> None:
    (tmp_path / "net.txt").write_text("0 4\n1 8\n")
    (tmp_path / "head.csv").write_text("time_s,x,y,z,qw,qx,qy,qz\n0,0,0,0,1,0,0,0\n")
    for name in ("room.ply", "room.sog", "room.ugc"):
        (tmp_path / name).write_bytes(b"x")
    config = read(
        tmp_path,
        """
        name = "all"
        seconds = 3
        frames_per_second = 2.5
        tick_hz = 90
        size = [64, 64]
        fov_y_deg = 90
        seeds = [4, 5]
        splat_transform = "/opt/st"
        [[scene]]
        name = "a"
        generated = { seed = 3, count = 2000 }
        ratios = [20, 50.5]
        presets = ["small"]
        views = 12
        effort = "best"
        [[scene]]
        name = "b"
        source = "room.ply"
        stream = "room.ugc"
        sog = "room.sog"
        [[link]]
        name = "bad"
        trace = "net.txt"
        up_mbps = 1
        delay_ms = 10
        jitter_ms = 5
        loss = 0.02
        burst_loss = { enter = 0.01, leave = 0.5 }
        queue_bytes = 9000
        [[head]]
        trace = "head.csv"
        [[head]]
        synthetic = 7
        [[system]]
        name = "ours"
        kind = "error"
        max_mbps = 5
        max_splats = 1000
        """,
    )
    first, second = config.scenes
    assert first.source == Generated(3, 2000) and first.views == 12
    assert (first.effort, second.effort) == ("best", "normal")
    assert first.sizes[0].config(first.views, first.effort) == EncodeConfig(ratio=20, views=12, effort="best")
    told = [words for name, words in described(config) if name == "scene"]
    assert [words.endswith(", effort best") for words in told] == [True, False]
    assert first.sizes == (Size(20), Size(50.5), Size(107))
    assert second.stream == tmp_path / "room.ugc" and second.sog == tmp_path / "room.sog"
    down, up = config.links[0].down, config.links[0].up
    assert (down.loss, down.jitter_s, down.queue_bytes) == (0.02, 0.005, 9000)
    assert down.burst_loss == BurstLoss(0.01, 0.5)
    assert down.rate is not None and down.rate.mean_mbps == pytest.approx(6)
    assert up.rate is not None and up.rate.mean_mbps == pytest.approx(1)
    assert [head.name for head in config.heads] == ["head", "walk 7"]
    assert (config.systems[0].max_mbps, config.systems[0].max_splats) == (5, 1000)
    assert config.seeds == (4, 5) and config.size == (64, 64) and config.splat_transform == "/opt/st"


def test_a_sog_source_is_its_own_sog_file(tmp_path: Path) -> None:
    (tmp_path / "a.sog").write_bytes(b"x")
    scene = read(tmp_path, '[[scene]]\nsource = "a.sog"').scenes[0]
    assert scene.sog == scene.source == tmp_path / "a.sog"
    assert scene.name == "a.sog"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("seconds = ", "no TOML"),
        ('\n{"seconds": 3}', "JSON, expected TOML as in docs/experiments.md"),
        ("secnods = 3", "unknown key 'secnods'"),
        ("seconds = true", "seconds: expected a number"),
        ("seconds = 'long'", "seconds: expected a number"),
        ("seconds = nan", "seconds: expected a number"),
        ("seeds = [1, 1]", "seeds: expected different values"),
        ("seeds = []", "seeds: expected different values"),
        ("size = 64", "size: expected [width, height]"),
        ("size = [64, 8]", "size: expected a whole number, 16 to"),
        ("name = 3", "name: expected a line"),
        ("scene = 3", "scene: expected tables, each under [[scene]]"),
        ("[[scene]]", "scene 1: expected either source or generated"),
        ("[[scene]]\nsource = 'none.ply'", "none.ply: no such file"),
        ("[[scene]]\ngenerated = { cuont = 5 }", "scene 1: generated: unknown key 'cuont'"),
        ("[[scene]]\ngenerated = {}\nratios = [0]", "ratios: expected numbers"),
        ("[[scene]]\ngenerated = {}\npresets = ['huge']", "presets: expected some of tiny"),
        ("[[scene]]\ngenerated = {}\neffort = 'utmost'", "effort: expected one of fast, normal, best"),
        ("[[scene]]\ngenerated = {}\neffort = 3", "effort: expected a line"),
        ("[[scene]]\ngenerated = {}\nstream = 'first.toml'\neffort = 'best'", "effort do not apply"),
        ("[[scene]]\ngenerated = {}\n[[scene]]\ngenerated = {}", "two of [[scene]] are called 'interior'"),
        (
            "[[scene]]\ngenerated = {}\nstream = 'first.toml'\nratios = [2]",
            "ratios, presets and effort do not apply",
        ),
        ("[[link]]\nmbps = 0", "link 1: mbps: expected a number, more than 0"),
        ("[[link]]\nloss = 2", "link 1: loss: expected a number, 0 to 0.9"),
        ("[[link]]\nloss = 1", "link 1: loss: expected a number, 0 to 0.9"),
        ("[[link]]\nqueue_bytes = 1400", "link 1: queue_bytes: expected a whole number, 1500 to"),
        ("[[link]]\nmbps = 2\ntrace = 'first.toml'", "expected either mbps or trace"),
        ("[[link]]\ntrace = 'first.toml'", "first.toml"),
        ("[[link]]\nburst_loss = { enter = 0.1 }", "expected enter and leave"),
        ("[[head]]\ntrace = 'first.toml'\nsynthetic = 1", "expected either trace or synthetic"),
        ("[[head]]\ntrace = 'first.toml'", "head 1: "),
        ("[[system]]\nkind = 'magic'", "kind: expected one of error, level"),
        ("[[system]]", "system 1: kind is missing"),
        ("[[system]]\nkind = 'sog'\nmax_splats = 0", "max_splats: expected a whole number"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ExperimentError) as caught:
        read(tmp_path, text)
    assert says in str(caught.value)
    assert "first.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "experiment.toml"
    path.write_bytes(b"\x7fELF\xff\xfe")
    with pytest.raises(ExperimentError, match=r"experiment\.toml: no TOML: it is not text"):
        read_config(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match=r"none\.toml"):
        read_config(tmp_path / "none.toml")

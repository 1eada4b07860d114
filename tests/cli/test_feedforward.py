"""The whole way of a reconstructor, small: views, training, export, evaluation; and what users get wrong."""

import json
from pathlib import Path

import pytest
from PIL import Image

from exgs.feedforward.sets import SETS, read_view_sets
from tests.cli.conftest import Command


@pytest.fixture(scope="session")
def sets_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sets") / "sets"


@pytest.fixture
def sets(exgs: Command, sets_path: Path, scene_path: Path) -> Path:
    """View sets of the small scene, made once."""
    if not sets_path.exists():
        code, _, err = exgs(
            "feedforward", "make-views", sets_path, "--scenes", scene_path, "--views", 52, "--walk", 52,
            "--size", "48x32", "--seed", 3, "--backend", "cpu",
        )  # fmt: skip
        assert code == 0, err
    return sets_path


def test_sets_say_how_they_were_made(exgs: Command, sets: Path, scene_path: Path) -> None:
    index = SETS.read_index(sets)
    assert (index["scenes"], index["seed"], index["size_px"], index["walk"]) == (["ball"], 3, [48, 32], 52)
    (found,) = read_view_sets(sets)
    assert found.pictures.shape == (52, 32, 48, 3) and found.depths.any()
    code, _, err = exgs("feedforward", "make-views", sets, "--scenes", scene_path)
    assert code == 2 and "-w replaces them" in err


def test_from_views_to_weights_that_are_judged(
    exgs: Command, sets: Path, scene_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for needed in ("torch", "safetensors"):
        pytest.importorskip(needed)
    from exgs.feedforward import network
    from tests.feedforward.test_training import TINY

    monkeypatch.setattr(network, "ARCHITECTURES", {"small": TINY})
    out, weights, report = tmp_path / "run", tmp_path / "toy", tmp_path / "report.json"
    few = ("--threads", 1, "-q")
    code, _, err = exgs("feedforward", "train", sets, out, "--steps", 2, *few)
    assert code == 0, err
    assert exgs("feedforward", "train", sets, out, "--steps", 2, *few)[0] == 2, "nothing is lost without -w"
    code, _, err = exgs("feedforward", "train", sets, out, "--steps", 3, "--resume", *few)
    assert code == 0, err
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == 3 and set(log[-1]["scores"]) == {"object with", "object without"}
    with Image.open(out / "samples.png") as sheet:
        assert sheet.width == 4 * 48 + 3 * 4

    code, _, err = exgs("feedforward", "export", out, weights, "--sets", sets, "--held-out", "skull")
    assert code == 0, err
    assert [line.split(":")[0] for line in err.splitlines()] == ["read", "judge", "export"]
    manifest = json.loads((weights / "manifest.json").read_text())
    assert (manifest["steps"], manifest["scenes"]["held_out"]) == (3, ["skull"])
    assert manifest["command"][0].startswith("exgs feedforward train") and len(manifest["command"]) == 2

    code, text, err = exgs(
        "feedforward", "evaluate", weights, "--scenes", scene_path, "--views", "3,4", "--anchors", 2,
        "--targets", 2, "--steps", 12, "--size", "48x32", "--threads", 1, "--json", "--backend", "cpu",
        "--sheet", tmp_path / "sheet.png",
    )  # fmt: skip
    assert code == 0, err
    report.write_text(text)
    found = json.loads(text)["kinds"]["object"]
    assert [score["anchors"] for score in found["with"] + found["without"]] == [2, 2, 3, 4]
    assert found["with"][0]["seconds"] > 0
    code, _, err = exgs("feedforward", "export", out, weights, "--scores", report, "-q", "-w")
    assert code == 0, err
    assert "scenes never seen" in json.loads((weights / "manifest.json").read_text())["scores"]


def test_walks_too_short_to_train_on_are_told_of_at_once(
    exgs: Command, scene_path: Path, tmp_path: Path
) -> None:
    sets, small = tmp_path / "sets", ("--views", 5, "--walk", 3, "--size", "32x18", "--backend", "cpu")
    code, _, err = exgs("feedforward", "make-views", sets, "--scenes", scene_path, *small)
    assert code == 0
    assert err.startswith("note: 5 views in walks of 3, one of them of 2: 'exgs feedforward train' takes no ")
    pytest.importorskip("torch")
    code, _, err = exgs("feedforward", "train", sets, tmp_path / "out")
    assert code == 1 and "ball: a walk of 2 views, expected 24 or more" in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("make-views", "out"), "no scenes"),
        (("train", "nowhere", "out", "--resume"), "nothing to resume"),
        (("train", "nowhere", "out"), "make-views"),
        (("export", "nowhere", "out"), "no such file"),
        (("evaluate", "small", "--views", "6,6"), "ever larger"),
        (("evaluate", "small", "--views", "none"), "whole number"),
    ],
)
def test_wrong_usage_is_explained(
    exgs: Command, words: tuple[str, ...], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, _, err = exgs("feedforward", *words)
    assert code in (1, 2) and says in err

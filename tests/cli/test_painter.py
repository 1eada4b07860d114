"""The whole way of a restorer, small: pairs, training, export, evaluation; and what users get wrong."""

import importlib.util
import json
from pathlib import Path

import pytest
from PIL import Image

from exgs.cli import painter_export
from exgs.cli.painter import LEAST_CROP, USUAL_CROP
from exgs.cli.painter_evaluate import by_kind, lines
from exgs.cli.run_folder import begin
from exgs.cli.scenes import scene_name
from exgs.painter.errors import PainterError
from exgs.painter.gains import Gain
from exgs.painter.shards import PAIRS, read_pairs
from tests.cli.conftest import Command

HALF = Path(__file__).parents[1] / "painter" / "data" / "half"
"""Weights of a small network."""


@pytest.fixture(scope="session")
def pairs_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pairs") / "pairs"


@pytest.fixture
def pairs(exgs: Command, pairs_path: Path, scene_path: Path) -> Path:
    """Pairs of the small scene, made once."""
    if not pairs_path.exists():
        code, _, err = exgs(
            "painter", "make-pairs", pairs_path, "--scenes", scene_path, "--damage", "exgs-20", "source",
            "--views", 7, "--pairs-per-view", 2, "--size", 48, "--seed", 3, "--backend", "cpu",
        )  # fmt: skip
        assert code == 0, err
        assert err.startswith("note: pictures of 48 pixels: 'exgs painter train' cuts crops of 128 ")
    return pairs_path


def test_pairs_say_how_they_were_made(exgs: Command, pairs: Path, scene_path: Path) -> None:
    index = PAIRS.read_index(pairs)
    assert index["scenes"] == ["ball"]
    assert (index["seed"], index["size_px"], index["damages"]) == (3, 48, ["exgs-20", "source"])
    (found,) = read_pairs(pairs)
    assert found.source.shape == (7, 48, 48, 3) and len(found) == 14
    code, _, err = exgs("painter", "make-pairs", pairs, "--scenes", scene_path)
    assert code == 2 and "-w replaces them" in err


def test_from_pairs_to_weights_that_restore(
    exgs: Command, pairs: Path, scene_path: Path, tmp_path: Path
) -> None:
    for needed in ("torch", "onnx", "onnxscript", "onnxruntime", "safetensors"):
        pytest.importorskip(needed)
    from exgs.training.checkpoint import read_checkpoint

    out, weights, report = tmp_path / "run", tmp_path / "toy", tmp_path / "report.json"
    small = ("--batch", 2, "--crop", 32, "--threads", 1, "-q")
    code, _, err = exgs("painter", "train", pairs, out, "--steps", 3, *small)
    assert code == 0, err
    assert exgs("painter", "train", pairs, out, "--steps", 3, *small)[0] == 2, "nothing is lost without -w"
    code, _, err = exgs("painter", "train", pairs, out, "--steps", 5, "--resume", *small)
    assert code == 0, err
    log = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert log[-1]["step"] == 5 and set(log[-1]["scores"]) == {"object exgs-20", "object source"}
    with Image.open(out / "samples.png") as sheet:
        assert sheet.width == 4 * 48 + 3 * 4

    report.write_text('{"kinds": {"object": {"ugc-3": {"pictures": 1}}}}')
    code, said, err = exgs(
        "painter", "export", out, weights, "--pairs", pairs, "--held-out", "moon", "--scores", report
    )
    assert code == 0, err
    assert [line.split(":")[0] for line in err.splitlines()] == ["read", "calibrate", "judge", "export"]
    manifest = json.loads((weights / "manifest.json").read_text())
    assert manifest["name"] == "toy" and manifest["scenes"] == {"train": ["ball"], "held_out": ["moon"]}
    assert manifest["scores"]["scenes never seen"] == {"object": {"ugc-3": {"pictures": 1}}}
    assert "object exgs-20" in manifest["scores"]["views held back of training scenes"]
    first, second = manifest["command"]
    assert first.endswith("--steps 3 --threads 1 --batch 2 --crop 32") and second.endswith("--resume")

    code, said, err = exgs(
        "painter", "evaluate", weights, "--scenes", scene_path, "--damage", "exgs-20", "--views", 1,
        "--sheet", tmp_path / "sheet.png", "--backend", "cpu", "--json",
    )  # fmt: skip
    assert code == 0, err
    gain = json.loads(said)["kinds"]["object"]["exgs-20"]
    assert gain["pictures"] == 1 and 5 < gain["psnr_before"] < 60

    tuned, start = tmp_path / "tuned", ("--weights", weights, "--seed", 7)
    code, _, err = exgs("painter", "train", pairs, tuned, *start, "--steps", 1, *small)
    assert code == 0, err
    commands = (tuned / "command.txt").read_text().splitlines()
    assert commands[:2] == [first, second] and f"--weights {weights} --steps 1" in commands[2]
    trained, begun = (read_checkpoint(folder / "checkpoint.pt", PainterError) for folder in (tuned, out))
    apart = [(trained["average"][name] - value).abs().max() for name, value in begun["average"].items()]
    assert max(apart) < 0.02, "goes on from the weights, but for the bias of the gate and float16"
    assert trained["settings"]["rate"] < 0.5 * begun["settings"]["rate"]
    assert exgs("painter", "train", pairs, tuned, *start, "--steps", 2, "--resume", *small)[0] == 0
    assert len((tuned / "command.txt").read_text().splitlines()) == 4
    assert exgs("painter", "export", tuned, tmp_path / "again", "-q")[0] == 0
    manifest = json.loads((tmp_path / "again" / "manifest.json").read_text())
    assert manifest["scenes"]["train"] == ["ball"], "those that the first weights learnt from"


def test_a_size_that_cannot_grow_of_weights_costs_no_older_run(
    exgs: Command, pairs: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    older = ("checkpoint.pt", "log.jsonl", "command.txt", "samples.png")
    for name in older:
        (tmp_path / name).write_text("of long work")
    words = ("--weights", "small", "--size", "tiny", "--steps", 1, "--crop", 32, "-w")
    code, _, err = exgs("painter", "train", pairs, tmp_path, *words)
    assert code == 2 and "--size tiny does not grow of small: widths [40, 32, 32]" in err
    assert all((tmp_path / name).read_text() == "of long work" for name in older)


def test_nothing_is_left_of_an_older_run_once_a_new_one_begins(tmp_path: Path) -> None:
    for name in ("checkpoint.pt", "log.jsonl", "command.txt", "samples.png", "notes.txt"):
        (tmp_path / name).write_text("of long work")
    begin(tmp_path, "exgs painter train", resume=True)
    assert (tmp_path / "command.txt").read_text() == "of long workexgs painter train\n"
    begin(tmp_path, "exgs painter train", resume=False)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["command.txt", "notes.txt"]
    assert (tmp_path / "command.txt").read_text() == "exgs painter train\n"


def test_a_larger_size_begins_as_the_weights_that_it_is_given(
    exgs: Command, pairs: Path, tmp_path: Path
) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("safetensors")
    from exgs.painter.networks import ARCHITECTURES
    from exgs.training.checkpoint import read_checkpoint

    start = ("--weights", "tiny", "--size", "small", "--batch", 1, "--crop", 32, "--threads", 1)
    for more in ((), ("--resume",)):
        code, _, err = exgs("painter", "train", pairs, tmp_path, *start, "--steps", 1 + len(more), *more)
        assert code == 0, err
    trained = read_checkpoint(tmp_path / "checkpoint.pt", PainterError)
    assert trained["settings"]["architecture"] == ARCHITECTURES["small"] and trained["step"] == 2
    assert "ball" not in trained["settings"]["learnt_from"] and "angel" in trained["settings"]["learnt_from"]
    commands = (tmp_path / "command.txt").read_text().splitlines()
    assert commands[-2].endswith("--weights tiny --size small --steps 1 --threads 1 --batch 1 --crop 32")


def test_an_export_tells_what_takes_long(
    exgs: Command, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("torch")
    from exgs.painter import export

    made: list[dict[str, object]] = []
    monkeypatch.setattr(painter_export, "need", lambda *names: None)  # what ONNX takes is left out here
    monkeypatch.setattr(export, "export", lambda network, out, facts: made.append(facts) or {"parameters": 7})
    out, small = tmp_path / "run", ("--batch", 2, "--crop", 32, "--threads", 1, "-q")
    assert exgs("painter", "train", pairs, out, "--steps", 1, *small)[0] == 0
    code, _, err = exgs("painter", "export", out, tmp_path / "weights", "--pairs", pairs)
    assert code == 0, err
    assert [line.split(":")[0] for line in err.splitlines()] == ["read", "calibrate", "judge", "export"]
    assert made[0]["scenes"] == {"train": ["ball"], "held_out": []} and "7 parameters" in err


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (["make-pairs", "OUT"], 2, "no scenes"),
        (["make-pairs", "OUT", "--scenes", "nowhere.ply"], 1, "nowhere.ply"),
        (["make-pairs", "OUT", "--scenes", "a/x.ply", "b/x.ply"], 2, "called x"),
        (["make-pairs", "OUT", "--scenes", "x.ply", "--damage", "spz-3"], 1, "spz-3"),
        (["train", "nowhere", "OUT"], 1, "make-pairs"),
        (["train", "nowhere", "OUT", "--resume"], 2, "nothing to resume"),
        (["train", "nowhere", "OUT", "--vae", "x"], 2, "tiny has no autoencoder"),
        (["train", "nowhere", "OUT", "--size", "latent", "--vae", "x", "y", "z"], 2, "two .pth files"),
        (["train", "nowhere", "OUT", "--unet", "x"], 2, "tiny has no autoencoder"),
        (["train", "nowhere", "OUT", "--size", "latent", "--unet", "x"], 2, "with --vae"),
        (["train", "nowhere", "OUT", "--size", "latent", "--freeze-unet"], 2, "only with --unet"),
        (["train", "nowhere", "OUT", "--crop", "40"], 2, "multiple of 16"),
        (["train", "nowhere", "OUT", "--weights", "tiny", "--vae", "x"], 2, "not with --weights"),
        (["train", "nowhere", "OUT", "--size", "base", "--vae", "x"], 2, "base has no autoencoder"),
        (["train", "nowhere", "OUT", "--weights", "no-such"], 1, "no-such"),
        (["train", "nowhere", "OUT", "--steps", "3", "--minutes", "3"], 2, "not allowed with"),
        (["export", "nowhere", "OUT"], 1, "'exgs painter train' leaves one"),
        (["evaluate", "tiny"], 2, "no scenes"),
        (["evaluate", "nowhere", "--scenes", "x.ply"], 1, "nowhere"),
        (["evaluate", str(HALF), "--scenes", "x.ply"], 1, "x.ply: there is no such file"),
        (["evaluate", str(HALF), "--generated", "1", "--cameras", "nowhere"], 1, "folder of cameras"),
        (["evaluate", str(HALF), "--generated", "1", "--splat-transform", "no-such"], 1, "npm install"),
        ([], 2, "ACTION"),
    ],
)  # fmt: skip
def test_mistakes_are_told_in_a_line_before_anything_is_missed(
    exgs: Command, tmp_path: Path, words: list[str], code: int, says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody installs what a command needs only to hear that a word in it was wrong."""
    found_at = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: found_at("no_such_module_anywhere"))
    found, _, err = exgs("painter", *(str(tmp_path / "out") if word == "OUT" else word for word in words))
    assert found == code
    assert says in err and "Traceback" not in err
    assert not (tmp_path / "out").exists()


def test_what_is_missing_is_told_once_the_words_are_right(
    exgs: Command, pairs: Path, scene_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    checkpoint.write_bytes(b"for the sake of its name")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *rest: None)
    for words in (
        ("train", pairs, tmp_path / "out", "--crop", 32),
        ("export", checkpoint, tmp_path / "out"),
        ("evaluate", HALF, "--scenes", scene_path),
    ):
        code, _, err = exgs("painter", *words)
        assert code == 1 and "not installed: pip install 'exgs[" in err
        assert not (tmp_path / "out").exists()


def test_pictures_smaller_than_crops_are_told_of_before_anything_is_made(
    exgs: Command, pairs: Path, tmp_path: Path
) -> None:
    for words, says in (((), "crops of 128, where --crop says nothing"), (("--crop", 64), "--crop 64")):
        code, _, err = exgs("painter", "train", pairs, tmp_path / "out", *words)
        assert code == 2 and f"{says}: the pictures of {pairs} have 48 pixels a side" in err
    assert not (tmp_path / "out").exists()


def test_the_sizes_of_crops_are_those_of_training() -> None:
    pytest.importorskip("torch")
    from exgs.painter.planes import MULTIPLE
    from exgs.painter.training import TrainSettings

    assert (2 * MULTIPLE, TrainSettings.size_px) == (LEAST_CROP, USUAL_CROP)


def test_results_are_not_written_over(exgs: Command, pairs: Path, tmp_path: Path) -> None:
    for name in ("checkpoint.pt", "manifest.json"):
        (tmp_path / name).write_bytes(b"of long work")
    code, _, err = exgs("painter", "train", pairs, tmp_path)
    assert code == 2 and "begins anew" in err
    code, _, err = exgs("painter", "export", tmp_path, tmp_path)
    assert code == 2 and "-w replaces them" in err
    assert (tmp_path / "checkpoint.pt").read_bytes() == b"of long work"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("a/skull.sog", "skull"), ("guitar.compressed.ply", "guitar"),
        ("playbot/lod-meta.json@2", "playbot"),
        ("flowers/lod-meta.json", "flowers"), ("angel", "angel"),
    ],
)  # fmt: skip
def test_scenes_are_called_after_their_files(path: str, name: str) -> None:
    assert scene_name(path) == name


def test_scenes_count_the_same_and_interiors_apart() -> None:
    one, three = Gain(1, 20, 21, 0.2, 0.1, 0.5, 0.6), Gain(3, 30, 30, 0.1, 0.1, 0.7, 0.7)
    found = by_kind({"skull": {"ugc-107": one}, "guitar": {"ugc-107": three}, "interior-1": {"ugc-107": one}})
    assert found["object"]["ugc-107"] == Gain(4, 25, 25.5, 0.15000000000000002, 0.1, 0.6, 0.6499999999999999)
    assert found["interior"]["ugc-107"] == one
    table = list(lines(found))
    assert len(table) == 3
    assert "+1.00" in table[2] and "-50.0 %" in table[2]

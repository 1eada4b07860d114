"""Weights are taken whole or not at all, and written so that they can be."""

import json
import shutil
from pathlib import Path

import pytest

from exgs.weights import Manifest, Weights, WeightsError, shelf
from exgs.weights.shelf import MAX_MODEL_BYTES, shipped, write_weights

SIZES = ("tiny", "small", "base")
HALF = Path(__file__).parents[1] / "painter" / "data" / "half"


def open_weights(name: str, where: Path = Path("/nowhere")) -> Weights[Manifest]:
    return shelf.open_weights(name, where, SIZES, Manifest.parse)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(HALF, tmp_path / "tiny")


def test_a_folder_is_read_by_its_path() -> None:
    weights = open_weights(str(HALF))
    assert weights.manifest.name == "half"
    assert weights.read("onnx") == (HALF / "model.onnx").read_bytes()


def test_a_size_is_found_on_the_shelf(folder: Path) -> None:
    assert shipped(folder.parent, SIZES) == ("tiny",)
    assert open_weights("tiny", folder.parent).folder == folder
    with pytest.raises(WeightsError, match=r"size small .*there are: tiny"):
        open_weights("small", folder.parent)


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_a_truncated_model_is_refused(folder: Path, cut: int) -> None:
    model = folder / "model.onnx"
    model.write_bytes(model.read_bytes()[:cut])
    with pytest.raises(WeightsError, match=r"model\.onnx: not the file"):
        open_weights(str(folder)).read("onnx")


def test_a_changed_bit_is_seen(folder: Path) -> None:
    model = folder / "model.onnx"
    data = bytearray(model.read_bytes())
    data[50] ^= 1
    model.write_bytes(data)
    with pytest.raises(WeightsError, match="sha256"):
        open_weights(str(folder)).read("onnx")


def test_nothing_large_is_read(folder: Path) -> None:
    for name, says in (("manifest.json", "manifest.json"), ("model.onnx", "model.onnx")):
        with (folder / name).open("ab") as stream:
            stream.truncate(MAX_MODEL_BYTES + 1)
        with pytest.raises(WeightsError, match=f"{says}: {MAX_MODEL_BYTES + 1:,} bytes"):
            open_weights(str(folder)).read("onnx")
        shutil.copy(HALF / name, folder / name)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="nowhere: expected one of tiny, small, base, or a folder"):
        open_weights("nowhere")
    with pytest.raises(WeightsError, match=r"names no model\.safetensors"):
        open_weights(str(folder)).read("safetensors")
    (folder / "model.onnx").unlink()
    with pytest.raises(WeightsError, match=r"model\.onnx: No such file"):
        open_weights(str(folder)).read("onnx")
    with pytest.raises(WeightsError, match=r"manifest\.json: No such file"):
        open_weights(str(tmp_path))


def test_a_manifest_cannot_lead_elsewhere(folder: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    document["sha256"]["../../etc/passwd"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(document))
    assert open_weights(str(folder)).read("onnx")


def test_what_is_written_can_be_read(tmp_path: Path) -> None:
    document = write_weights(tmp_path, {"safetensors": b"numbers"}, {"name": "mine", "steps": 3})
    weights = open_weights(str(tmp_path))
    assert weights.read("safetensors") == b"numbers"
    assert weights.manifest.document == document and document["steps"] == 3


def test_files_that_an_older_manifest_named_do_not_outlive_it(folder: Path) -> None:
    write_weights(folder, {"safetensors": b"numbers"}, {"name": "mine"})
    assert sorted(path.name for path in folder.iterdir()) == ["manifest.json", "model.safetensors"]


def test_files_that_no_manifest_names_are_somebody_elses(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"of other work")
    for _ in range(2):
        write_weights(tmp_path, {"safetensors": b"numbers"}, {"name": "mine"})
    assert (tmp_path / "model.onnx").read_bytes() == b"of other work"

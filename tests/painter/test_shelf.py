"""Weights are taken whole or not at all."""

import json
import shutil
from pathlib import Path

import pytest

from exgs.painter import PainterError
from exgs.painter.shelf import MAX_MODEL_BYTES, SIZES, open_weights, shipped

HALF = Path(__file__).parent / "data" / "half"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return shutil.copytree(HALF, tmp_path / "tiny")


def test_a_folder_is_read_by_its_path() -> None:
    weights = open_weights(str(HALF))
    assert weights.manifest.name == "half"
    assert weights.read("onnx") == (HALF / "model.onnx").read_bytes()


def test_a_size_is_found_on_the_shelf(folder: Path) -> None:
    assert shipped(folder.parent) == ("tiny",)
    assert open_weights("tiny", folder.parent).folder == folder
    with pytest.raises(PainterError, match=r"size small .*there are: tiny"):
        open_weights("small", folder.parent)


def test_all_that_is_shipped_is_whole() -> None:
    assert set(shipped()) <= set(SIZES)
    for size in shipped():
        weights = open_weights(size)
        assert {kind: len(weights.read(kind)) > 0 for kind in ("onnx", "safetensors")}


@pytest.mark.parametrize("cut", [0, 1, 100])
def test_a_truncated_model_is_refused(folder: Path, cut: int) -> None:
    model = folder / "model.onnx"
    model.write_bytes(model.read_bytes()[:cut])
    with pytest.raises(PainterError, match=r"model\.onnx: not the file"):
        open_weights(str(folder)).read("onnx")


def test_a_changed_bit_is_seen(folder: Path) -> None:
    model = folder / "model.onnx"
    data = bytearray(model.read_bytes())
    data[50] ^= 1
    model.write_bytes(data)
    with pytest.raises(PainterError, match="sha256"):
        open_weights(str(folder)).read("onnx")


def test_nothing_large_is_read(folder: Path) -> None:
    for name, says in (("manifest.json", "manifest.json"), ("model.onnx", "model.onnx")):
        with (folder / name).open("ab") as stream:
            stream.truncate(MAX_MODEL_BYTES + 1)
        with pytest.raises(PainterError, match=f"{says}: 1,073,741,825 bytes"):
            open_weights(str(folder)).read("onnx")
        shutil.copy(HALF / name, folder / name)


def test_what_is_missing_is_named(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(PainterError, match="nowhere: expected one of tiny, small, base, or a folder"):
        open_weights("nowhere")
    with pytest.raises(PainterError, match=r"names no model\.safetensors"):
        open_weights(str(folder)).read("safetensors")
    (folder / "model.onnx").unlink()
    with pytest.raises(PainterError, match="no such file"):
        open_weights(str(folder)).read("onnx")
    with pytest.raises(PainterError, match=r"manifest\.json: there is no such file"):
        open_weights(str(tmp_path))


def test_a_manifest_cannot_lead_elsewhere(folder: Path) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    document["sha256"]["../../etc/passwd"] = "0" * 64
    (folder / "manifest.json").write_text(json.dumps(document))
    assert open_weights(str(folder)).read("onnx")

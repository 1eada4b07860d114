"""Which restorer a mode gets, and how it says no."""

import hashlib
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from exgs.painter import Identity, PainterError, choose_restorer, restorer_report
from exgs.painter.onnx_network import onnx_devices
from exgs.weights import WeightsError

HALF = Path(__file__).parent / "data" / "half"
needs_onnxruntime = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="onnxruntime is not installed"
)


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    """A shelf with a size of each, all of them the network of the tests."""
    for size in ("tiny", "small"):
        shutil.copytree(HALF, tmp_path / size)
    return tmp_path


def refused(reason: str) -> None:
    raise AssertionError(reason)


def test_off_is_off_whatever_is_there(shelf: Path) -> None:
    assert isinstance(choose_restorer("off", on_off=refused, shelf=shelf), Identity)
    assert isinstance(choose_restorer(), Identity)


@needs_onnxruntime
def test_a_size_and_a_folder_are_taken_by_name(shelf: Path) -> None:
    for mode in ("small", str(HALF)):
        assert choose_restorer(mode, engine="cpu", on_off=refused, shelf=shelf).name == "half on cpu"


@needs_onnxruntime
def test_auto_takes_what_suits_the_device(shelf: Path) -> None:
    assert choose_restorer("auto", engine="cpu", on_off=refused, shelf=shelf).name == "half on cpu"
    assert restorer_report(shelf).reason == "there are tiny, small"
    shutil.rmtree(shelf / "tiny")
    said: list[str] = []
    assert isinstance(choose_restorer("auto", engine="cpu", on_off=said.append, shelf=shelf), Identity)
    assert said == ["no weights for this machine's cpu came with this package"]


@needs_onnxruntime
def test_auto_is_off_with_weights_that_are_broken_and_a_name_is_an_error(shelf: Path) -> None:
    (shelf / "tiny" / "model.onnx").write_bytes(b"")
    said: list[str] = []
    assert isinstance(choose_restorer("auto", on_off=said.append, shelf=shelf), Identity)
    assert len(said) == 1 and "sha256 differs" in said[0]
    with pytest.raises(WeightsError, match="sha256 differs"):
        choose_restorer("tiny", shelf=shelf)
    assert restorer_report(shelf).name == "off"


def test_without_onnxruntime_auto_says_so_once_and_a_name_is_an_error(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said: list[str] = []
    assert isinstance(choose_restorer("auto", on_off=said.append, shelf=shelf), Identity)
    assert len(said) == 1 and "pip install 'exgs[cpu]'" in said[0]
    with pytest.raises(PainterError, match=r"exgs\[cpu\]"):
        choose_restorer("tiny", shelf=shelf)
    with pytest.raises(PainterError, match=r"torch and safetensors: not installed.*exgs\[train\]"):
        choose_restorer("tiny", engine="torch", shelf=shelf)
    assert "exgs[cpu]" in restorer_report(shelf).reason


def test_weights_that_are_not_there_are_told_before_what_is_not_installed(
    shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(WeightsError, match="nowhere"):
        choose_restorer("nowhere", shelf=shelf)
    with pytest.raises(WeightsError, match="size base"):
        choose_restorer("base", shelf=shelf)


def test_weights_without_an_onnx_model_are_run_by_torch(shelf: Path) -> None:
    for needed in ("torch", "safetensors"):
        pytest.importorskip(needed)
    manifest = shelf / "tiny" / "manifest.json"
    document = json.loads(manifest.read_text())
    del document["sha256"]["onnx"]
    document["sha256"]["safetensors"] = "0" * 64
    manifest.write_text(json.dumps(document))
    with pytest.raises(PainterError, match="architecture"):  # which onnxruntime does not ask for
        choose_restorer(str(shelf / "tiny"), shelf=shelf)
    if importlib.util.find_spec("onnxruntime") is not None:
        with pytest.raises(WeightsError, match=r"names no model\.onnx"):
            choose_restorer(str(shelf / "tiny"), engine="cpu", shelf=shelf)


def test_an_engine_that_does_not_exist(shelf: Path) -> None:
    with pytest.raises(ValueError, match="abacus"):
        choose_restorer("tiny", engine="abacus", shelf=shelf)


@needs_onnxruntime
def test_a_device_that_is_not_here(shelf: Path) -> None:
    if "tensorrt" not in onnx_devices():
        with pytest.raises(PainterError, match="no tensorrt here"):
            choose_restorer("tiny", engine="tensorrt", shelf=shelf)


@needs_onnxruntime
def test_a_network_that_cannot_be_run_is_known_at_once(shelf: Path) -> None:
    model = shelf / "tiny" / "model.onnx"
    data = model.read_bytes()
    bias = np.array([0, 0, 0, 0.5], np.float32).tobytes()
    at = data.rindex(bias)  # the weights before it look like it
    model.write_bytes(data[:at] + np.full(4, 7, np.float32).tobytes() + data[at + len(bias) :])
    document = json.loads((shelf / "tiny" / "manifest.json").read_text())
    document["sha256"]["onnx"] = hashlib.sha256(model.read_bytes()).hexdigest()
    (shelf / "tiny" / "manifest.json").write_text(json.dumps(document))
    with pytest.raises(PainterError, match="no colours"):
        choose_restorer("tiny", engine="cpu", shelf=shelf)
    said: list[str] = []
    assert isinstance(choose_restorer("auto", engine="cpu", on_off=said.append, shelf=shelf), Identity)
    assert "no colours" in said[0]

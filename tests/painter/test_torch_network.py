"""torch in onnxruntime's place: what it refuses, and that both give the same pictures."""

import hashlib
import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exgs.painter import PainterError
from exgs.painter.manifest import Manifest
from exgs.painter.onnx_network import onnx_problem, open_network
from exgs.painter.planes import PLANES
from exgs.painter.shelf import Weights, open_weights, shipped
from exgs.painter.torch_network import TorchNetwork
from exgs.weights.tensors import torch_problem

pytestmark = pytest.mark.skipif(torch_problem() is not None, reason="torch is not installed")
TINY = {"kind": "pixels", "widths": [4, 4, 4], "blocks": [1, 1, 1]}


def some_planes(*shape: int) -> np.ndarray:
    return np.random.default_rng(7).random(shape, np.float32)


def weights(folder: Path, architecture: Any = TINY, *, data: bytes | None = None) -> Weights:
    """A folder with a network of random float16 weights."""
    if data is None:
        data = saved(TINY)
    (folder / "model.safetensors").write_bytes(data)
    sums = {"safetensors": hashlib.sha256(data).hexdigest()}
    return Weights(folder, Manifest("tiny", sums, document={"architecture": architecture}))


def saved(architecture: dict[str, Any]) -> bytes:
    import safetensors.torch
    import torch

    from exgs.painter.networks import build

    torch.manual_seed(3)
    state = build(architecture).state_dict()
    return bytes(safetensors.torch.save({name: value.half() for name, value in state.items()}))


def test_it_runs_the_network_of_the_manifest(tmp_path: Path) -> None:
    network, planes = TorchNetwork(weights(tmp_path)), some_planes(2, 6, 32, 48)
    restored = network.run(planes)
    assert restored.shape == (2, 4, 32, 48) and restored.dtype == np.float32
    assert np.array_equal(network.run(planes), restored)
    assert ((restored[:, 3] > 0) & (restored[:, 3] < 1)).all()
    assert network.device in ("torch cpu", "torch cuda")


@pytest.mark.parametrize(
    "architecture",
    [
        None,
        {"kind": "abacus"},
        {"kind": "pixels", "widths": [8, 4, 4], "blocks": [1, 1, 1]},
        {"kind": "pixels", "widths": [1 << 20, 1 << 20], "blocks": [1, 1]},
        {"kind": "pixels", "abacus": 1},
    ],
)
def test_weights_of_another_architecture_are_refused(tmp_path: Path, architecture: Any) -> None:
    with pytest.raises(PainterError):
        TorchNetwork(weights(tmp_path, architecture))


@pytest.mark.parametrize("data", [b"", b"no tensors", b"\xff" * 64])
def test_what_are_no_tensors_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PainterError, match="not the weights"):
        TorchNetwork(weights(tmp_path, data=data))


def test_planes_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(PainterError, match="expected planes"):
        TorchNetwork(weights(tmp_path)).run(some_planes(1, 5, 16, 16))


@pytest.mark.parametrize("size", shipped() or ["none"])
def test_both_give_the_same_pictures(size: str) -> None:
    if size == "none" or onnx_problem() is not None:
        pytest.skip("no weights are shipped, or onnxruntime is not installed")
    found = open_weights(size)
    planes = some_planes(1, len(PLANES), 48, 64)
    by_torch, by_onnx = TorchNetwork(found).run(planes), open_network(found).run(planes)
    assert np.abs(by_torch - by_onnx).max() < 2e-3


def test_without_torch_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = weights(tmp_path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PainterError, match=r"exgs\[train\]"):
        TorchNetwork(found)

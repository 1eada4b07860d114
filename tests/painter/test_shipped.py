"""The weights that come with the package: whole, documented, and what they are said to be."""

import importlib.util
import re

import numpy as np
import pytest

from exgs.painter.onnx_network import onnx_problem, open_network
from exgs.painter.planes import PLANES
from exgs.painter.shelf import Weights, open_weights, shipped
from exgs.painter.torch_network import TorchNetwork
from exgs.weights.tensors import torch_problem

LARGEST_BYTES = {"tiny": 1_000_000, "small": 10_000_000, "base": 40_000_000}
KEYS = {"name", "version", "architecture", "sha256", "command", "commit", "date", "scenes", "scores",
        "planes", "parameters", "licence"}  # fmt: skip


@pytest.fixture(params=shipped())
def weights(request: pytest.FixtureRequest) -> Weights:
    return open_weights(request.param)


def test_tiny_is_shipped() -> None:
    assert "tiny" in shipped()


def test_the_files_are_those_of_the_manifest_and_small(weights: Weights) -> None:
    sizes = [len(weights.read(kind)) for kind in ("graph", "safetensors")]
    assert sum(sizes) <= LARGEST_BYTES[weights.manifest.name]
    assert sizes[0] < 100_000


def test_the_manifest_says_what_they_are_and_where_from(weights: Weights) -> None:
    document = weights.manifest.document
    assert set(document) >= KEYS
    assert document["planes"] == list(PLANES[: len(document["planes"])])
    assert all(command.startswith("exgs painter train") for command in document["command"])
    assert re.fullmatch(r"[0-9a-f]{40}", document["commit"]) and re.fullmatch(
        r"\d{4}-\d\d-\d\d", document["date"]
    )
    trained, held_out = (set(document["scenes"][part]) for part in ("train", "held_out"))
    assert trained and held_out and not trained & held_out
    if weights.manifest.name == "tiny":
        assert document["parameters"] <= 100_000


def test_scores_are_of_scenes_never_seen(weights: Weights) -> None:
    scores = weights.manifest.document["scores"]["scenes never seen"]
    assert {"object", "interior"} <= set(scores)
    for gains in scores.values():
        for gain in gains.values():
            assert gain["pictures"] > 0 and gain["psnr_after"] > 0


@pytest.mark.skipif(onnx_problem() is not None, reason="onnxruntime is not installed")
def test_an_empty_picture_stays_nearly_empty(weights: Weights) -> None:
    restored = open_network(weights).run(np.zeros((1, 7, 32, 48), np.float32))
    assert np.isfinite(restored).all() and restored[:, :3].max() < 0.05


@pytest.mark.skipif(onnx_problem() is not None, reason="onnxruntime is not installed")
@pytest.mark.skipif(torch_problem() is not None, reason="torch is not installed")
@pytest.mark.skipif(importlib.util.find_spec("safetensors") is None, reason="safetensors is not installed")
def test_both_engines_agree(weights: Weights) -> None:
    planes = np.random.default_rng(2).random((2, 7, 48, 64), np.float32)
    a, b = (np.array(engine.run(planes)) for engine in (open_network(weights), TorchNetwork(weights)))
    assert np.abs(a - b).max() < 1e-3

"""The weights that come with the package: whole, documented, and what they are said to be."""

import re

import pytest

from exgs.feedforward.choose import load_network, open_weights, shipped
from exgs.weights import Manifest, Weights
from exgs.weights.tensors import torch_problem

LARGEST_BYTES = {"small": 10_000_000, "base": 40_000_000}


@pytest.fixture(params=shipped())
def weights(request: pytest.FixtureRequest) -> Weights[Manifest]:
    return open_weights(request.param)


def test_small_is_shipped() -> None:
    assert "small" in shipped()


def test_the_file_is_that_of_the_manifest_and_small(weights: Weights[Manifest]) -> None:
    assert len(weights.read("safetensors")) <= LARGEST_BYTES[weights.manifest.name]


def test_the_manifest_says_what_they_are_and_where_from(weights: Weights[Manifest]) -> None:
    document = weights.manifest.document
    assert all(command.startswith("exgs feedforward train") for command in document["command"])
    assert re.fullmatch(r"[0-9a-f]{40}", document["commit"]) and re.fullmatch(
        r"\d{4}-\d\d-\d\d", document["date"]
    )
    trained, held_out = (set(document["scenes"][part]) for part in ("train", "held_out"))
    assert trained and held_out and not trained & held_out
    scores = document["scores"]["scenes never seen"]
    for cases in scores.values():
        assert all(score["psnr"] > 0 and score["gaussians"] > 0 for score in cases["with"])


@pytest.mark.skipif(torch_problem() is not None, reason="torch is not installed")
def test_they_are_those_of_their_architecture(weights: Weights[Manifest]) -> None:
    network = load_network(weights)
    assert sum(part.numel() for part in network.parameters()) == weights.manifest.document["parameters"]

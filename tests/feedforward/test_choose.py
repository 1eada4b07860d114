"""Networks from folders of weights: whole or not at all."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from exgs.feedforward.choose import choose_device, load_network, open_weights, shipped
from exgs.feedforward.errors import FeedforwardError
from exgs.weights import WeightsError
from exgs.weights.shelf import write_weights
from exgs.weights.tensors import to_safetensors, torch_problem

ARCHITECTURE = {"fine": 16, "wide": 24, "steps": 8, "quarter": 16, "deep": 16, "heads": 2, "blocks": 1}


def weights_of(folder: Path, facts: dict[str, Any] | None = None) -> tuple[Path, Any]:
    """A folder with the weights of a fresh small network, and the network."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("safetensors")

    from exgs.feedforward.network import build

    torch.manual_seed(0)
    network = build(ARCHITECTURE).eval()
    folder.mkdir()
    write_weights(
        folder,
        {"safetensors": to_safetensors(network)},
        {"name": "tried", "architecture": ARCHITECTURE, **(facts or {})},
    )
    return folder, network


def test_weights_give_the_network_they_came_from(tmp_path: Path) -> None:
    folder, network = weights_of(tmp_path / "tried")
    found = load_network(open_weights(str(folder)))
    assert not found.training
    for name, value in network.state_dict().items():
        assert (found.state_dict()[name] == value.half().float()).all(), name


@pytest.mark.parametrize(
    ("architecture", "said"),
    [
        (None, 'expected an object "architecture"'),
        ({**ARCHITECTURE, "fine": 32}, "its architecture says"),
        ({**ARCHITECTURE, "fine": 1 << 40}, "architecture"),
        ({**ARCHITECTURE, "blocks": 10**9}, "blocks 1000000000, expected 1 to"),
        ({**ARCHITECTURE, "heads": 0}, "heads 0, expected 1 to"),
        ({"wide": 3}, "architecture"),
    ],
)
def test_weights_of_another_architecture_are_refused(
    tmp_path: Path, architecture: dict[str, int] | None, said: str
) -> None:
    folder, _ = weights_of(tmp_path / "tried", {"architecture": architecture})
    with pytest.raises(FeedforwardError, match=said):
        load_network(open_weights(str(folder)))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    folder, _ = weights_of(tmp_path / "tried")
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(WeightsError, match="sha256 differs"):
        load_network(open_weights(str(folder)))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    write_weights(tmp_path, {"safetensors": b"nonsense"}, {"name": "tried", "architecture": ARCHITECTURE})
    with pytest.raises(FeedforwardError, match="not the weights"):
        load_network(open_weights(str(tmp_path)))


def test_sizes_that_are_not_shipped_are_said(tmp_path: Path) -> None:
    assert shipped(tmp_path) == ()
    with pytest.raises(WeightsError, match="no weights of size small came with this package"):
        open_weights("small", tmp_path)
    with pytest.raises(WeightsError, match="expected one of small, base, or a folder"):
        open_weights("no such folder", tmp_path)


def test_a_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    assert "exgs[train]" in (torch_problem() or "")
    with pytest.raises(FeedforwardError, match=r"torch.*: not installed: pip install 'exgs\[train\]'"):
        choose_device()
    (tmp_path / "manifest.json").write_text(
        json.dumps({"version": 1, "name": "x", "sha256": {"safetensors": "0" * 64}})
    )
    with pytest.raises(FeedforwardError, match="not installed"):
        load_network(open_weights(str(tmp_path)))


def test_the_device_is_the_one_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == choose_device("cpu") == "cpu"
    with pytest.raises(FeedforwardError, match="no CUDA device"):
        choose_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose_device("auto") == choose_device("cuda") == "cuda"
    assert choose_device("cpu") == "cpu"

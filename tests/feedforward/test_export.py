from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from exgs.feedforward.choose import load_network, open_weights  # noqa: E402
from exgs.feedforward.errors import FeedforwardError  # noqa: E402
from exgs.feedforward.export import export, network_from  # noqa: E402
from exgs.feedforward.network import build  # noqa: E402
from tests.feedforward.test_training import TINY  # noqa: E402


def test_what_is_exported_is_the_average_in_float16(tmp_path: Path) -> None:
    torch.manual_seed(1)
    average = build(TINY).state_dict()
    network = network_from({"settings": {"architecture": TINY}, "average": average})
    document = export(network, tmp_path, {"name": "toy", "architecture": TINY, "steps": 5})
    weights = open_weights(str(tmp_path))
    assert (
        document["parameters"] == sum(w.numel() for w in network.parameters())
        and "CC-BY" in document["licence"]
    )
    loaded = load_network(weights).state_dict()
    for name, value in average.items():
        assert torch.equal(loaded[name], value.half().float()), name


def test_weights_of_another_architecture_are_refused() -> None:
    average = build(TINY).state_dict()
    with pytest.raises(FeedforwardError, match="not the weights"):
        network_from({"settings": {"architecture": TINY | {"fine": 16}}, "average": average})

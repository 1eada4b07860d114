from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from exgs.feedforward.choose import load_network, open_weights  # noqa: E402
from exgs.feedforward.errors import FeedforwardError  # noqa: E402
from exgs.feedforward.export import export  # noqa: E402
from exgs.feedforward.network import build  # noqa: E402
from exgs.training.checkpoint import network_from  # noqa: E402
from tests.feedforward.test_training import TINY  # noqa: E402


def test_what_is_exported_is_the_average_in_float16(tmp_path: Path) -> None:
    torch.manual_seed(1)
    average = build(TINY).state_dict()
    state = {"settings": {"architecture": TINY}, "average": average}
    network = network_from(state, build, FeedforwardError)
    document = export(network, tmp_path, {"name": "toy", "architecture": TINY, "steps": 5})
    weights = open_weights(str(tmp_path))
    assert (
        document["parameters"] == sum(w.numel() for w in network.parameters())
        and "CC-BY" in document["licence"]
    )
    loaded = load_network(weights).state_dict()
    for name, value in average.items():
        assert torch.equal(loaded[name], value.half().float()), name

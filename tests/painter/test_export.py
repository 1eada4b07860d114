import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
for needed in ("onnx", "onnxscript", "onnxruntime", "safetensors"):
    pytest.importorskip(needed)

from exgs.painter import PainterError  # noqa: E402
from exgs.painter.crops import Crops  # noqa: E402
from exgs.painter.export import difference, export, to_onnx  # noqa: E402
from exgs.painter.networks import build  # noqa: E402
from exgs.painter.onnx_network import OnnxNetwork  # noqa: E402
from exgs.painter.planes import PLANES  # noqa: E402
from exgs.painter.shelf import open_weights  # noqa: E402
from exgs.painter.torch_network import TorchNetwork  # noqa: E402
from exgs.painter.training import Training, TrainSettings  # noqa: E402
from exgs.training.checkpoint import network_from, read_checkpoint  # noqa: E402

TINY = {"kind": "pixels", "widths": [8, 4, 4], "blocks": [1, 1, 1]}
FILL = {**TINY, "planes": 7, "fill": True, "blocks": [1, 1, 2], "reaches": [1, 2]}
LATENT = {"kind": "latent", "vae_widths": [4, 4, 4, 4], "unet_widths": [8, 8], "blocks": 1}


def shaken(architecture) -> "torch.nn.Module":
    """A network of random weights, none of them nothing."""
    network = build(architecture).eval()
    with torch.no_grad():
        for number, weights in enumerate(network.parameters()):
            noise = torch.rand(weights.shape, generator=torch.Generator().manual_seed(number)) - 0.5
            weights.copy_((weights + 0.2 * noise).half())
    return network


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("weights") / "toy"
    export(shaken(TINY), folder, {"name": "toy", "architecture": TINY, "scores": {}})
    return folder


def test_all_engines_compute_the_same_at_any_size(folder):
    weights = open_weights(str(folder))
    engines = OnnxNetwork(weights.read("onnx")), TorchNetwork(weights)
    for shape in ((1, 6, 16, 16), (2, 6, 48, 80)):
        seen = np.random.default_rng(1).random(shape, np.float32)
        a, b = (np.array(engine.run(seen)) for engine in engines)
        assert a.shape == (shape[0], 4, *shape[2:])
        assert np.abs(a - b).max() < 1e-3
        assert np.abs(a[:, :3] - seen[:, :3]).max() > 1e-2


def test_the_manifest_says_what_the_weights_are(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["planes"] == list(PLANES[:6])
    assert manifest["version"] == 1
    assert manifest["parameters"] == sum(w.numel() for w in build(TINY).parameters())
    assert (folder / "model.safetensors").stat().st_size < 3 * manifest["parameters"] + 4000


def test_models_do_not_name_the_machine_they_were_made_on(folder):
    data = (folder / "model.onnx").read_bytes()
    for word in (b"site-packages", b"exgs/painter", b"/home", b"/root"):
        assert word not in data


@pytest.mark.parametrize("architecture", [FILL, LATENT], ids=["fill", "latent"])
def test_the_other_networks_are_exported_too(architecture):
    network = shaken(architecture)
    seen = torch.rand(1, 7, 32, 48, generator=torch.Generator().manual_seed(3))
    assert difference(network, to_onnx(network), seen) < 1e-3


def test_the_averaged_weights_are_exported(tmp_path, make_pairs_of):
    training = Training(TrainSettings(TINY, batch=2, size_px=32), Crops([make_pairs_of()], size_px=32))
    for step in range(3):
        training.advance(step / 3)
    training.save(tmp_path / "a.pt")
    network = network_from(read_checkpoint(tmp_path / "a.pt", PainterError), build, PainterError)
    for exported, mean in zip(network.parameters(), training.average.parameters(), strict=True):
        assert torch.equal(exported, mean.half().float())


def test_weights_of_another_architecture_are_refused():
    state = {"settings": {"architecture": LATENT}, "average": build(TINY).state_dict()}
    with pytest.raises(PainterError, match="architecture"):
        network_from(state, build, PainterError)

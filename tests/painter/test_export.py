import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")
for needed in ("onnx", "onnxscript", "onnxruntime", "safetensors"):
    pytest.importorskip(needed)

import safetensors.numpy  # noqa: E402

from exgs.painter import PainterError  # noqa: E402
from exgs.painter.crops import Crops  # noqa: E402
from exgs.painter.export import difference, export, hollowed, to_onnx  # noqa: E402
from exgs.painter.networks import build  # noqa: E402
from exgs.painter.onnx_network import OnnxNetwork, open_network  # noqa: E402
from exgs.painter.planes import PLANES  # noqa: E402
from exgs.painter.shelf import open_weights  # noqa: E402
from exgs.painter.torch_network import TorchNetwork  # noqa: E402
from exgs.painter.training import Training, TrainSettings  # noqa: E402
from exgs.training.checkpoint import network_from, read_checkpoint  # noqa: E402
from exgs.weights.tensors import to_safetensors  # noqa: E402

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
    engines = open_network(weights), TorchNetwork(weights)
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
    data = (folder / "graph.onnx").read_bytes()
    for word in (b"site-packages", b"exgs/painter", b"/home", b"/root"):
        assert word not in data


def test_every_weight_lies_in_the_folder_once_and_any_program_finds_it(folder):
    import onnx

    graph, tensors = ((folder / name).read_bytes() for name in ("graph.onnx", "model.safetensors"))
    assert not (folder / "model.onnx").exists()
    model = onnx.load(folder / "graph.onnx")  # with what lies outside of it
    apart = {tensor.name for tensor in onnx.load_from_string(graph).graph.initializer if tensor.external_data}
    found = [onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer if tensor.name in apart]
    assert found and all(array.tobytes() in tensors for array in found)
    assert not any(array.tobytes() in graph for array in found)


def test_a_model_of_other_tensors_stays_whole(folder):
    network = shaken(TINY)
    model = to_onnx(network)
    assert hollowed(model, to_safetensors(network)) is not None
    assert hollowed(model, to_safetensors(build(TINY))) is None
    assert hollowed(model, to_safetensors(shaken(FILL))) is None


def test_a_graph_and_its_tensors_compute_what_the_whole_model_does():
    network = shaken(FILL)
    model, tensors = to_onnx(network), to_safetensors(network)
    seen = np.random.default_rng(1).random((1, 7, 32, 48), np.float32)
    whole = OnnxNetwork(model).run(seen).copy()
    apart = OnnxNetwork(hollowed(model, tensors), safetensors.numpy.load(tensors)).run(seen)
    assert np.array_equal(apart, whole)


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

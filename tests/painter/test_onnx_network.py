"""onnxruntime behind the seam: exact on a network whose sums are known, and closed to what is no network."""

import hashlib
import importlib.util
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from exgs.painter import PainterError
from exgs.painter.onnx_network import KEPT_SIZES, OnnxNetwork, onnx_devices, open_network
from exgs.painter.shelf import SHELF, Weights, open_weights
from exgs.weights import WeightsError
from exgs.weights.tensors import arrays

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="onnxruntime is not installed"
)
MODEL = (Path(__file__).parent / "data" / "half" / "model.onnx").read_bytes()


def some_planes(count: int = 2, height: int = 16, width: int = 32) -> np.ndarray:
    return np.random.default_rng(count + width).random((count, 6, height, width), np.float32)


def half(planes: np.ndarray) -> np.ndarray:
    """What the network of the tests computes."""
    color = 0.5 * planes[:, :3] + 0.25 * planes[:, 3:4] + 0.125 * planes[:, 4:5]
    return np.concatenate([color, 0.5 + 0.5 * planes[:, 5:6]], axis=1)


def test_it_computes_what_the_network_says() -> None:
    network = OnnxNetwork(MODEL, threads=1)
    for shape in ((2, 16, 32), (1, 48, 16), (2, 16, 32)):
        planes = some_planes(*shape)
        restored = network.run(planes)
        assert restored.dtype == np.float32
        assert np.allclose(restored, half(planes), atol=1e-6)


def test_a_pair_gives_what_its_pictures_give_alone() -> None:
    network, planes = OnnxNetwork(MODEL), some_planes()
    pair = network.run(planes).copy()
    for index in range(2):
        assert np.array_equal(network.run(planes[index : index + 1])[0], pair[index])


def test_arithmetic_elsewhere_stays_as_it_was() -> None:
    """Were the smallest numbers nothing in this thread, encoders would differ and trees never end."""
    OnnxNetwork(MODEL).run(some_planes())
    assert np.array([1e-310])[0] * 1.0 == 1e-310


def test_few_sizes_are_kept() -> None:
    network = OnnxNetwork(MODEL, threads=1)
    for width in range(16, 16 * (KEPT_SIZES + 3), 16):
        network.run(some_planes(1, 16, width))
    assert len(network._fixed) == KEPT_SIZES


def test_what_it_cannot_write_to_it_takes_as_well() -> None:
    planes = some_planes()
    planes.flags.writeable = False
    assert np.allclose(OnnxNetwork(MODEL).run(planes[:, :, ::-1]), half(planes[:, :, ::-1]), atol=1e-6)


@pytest.mark.parametrize("model", [b"", b"no model", MODEL[:200], MODEL[:-1], MODEL + b"\xff\xff\xff\xff"])
def test_what_is_no_model_is_refused(model: bytes) -> None:
    with pytest.raises(PainterError, match="not a model"):
        OnnxNetwork(model)


@pytest.mark.parametrize(
    ("was", "now", "says"),
    [
        (b"planes", b"pixels", "inputs are pixels"),
        (b"restored", b"guessed!", "outputs are guessed!"),
        (b"\x12\x05batch", b"\x08\x82\x80\x80\x80\x80\x00", "expected any B, H and W"),  # always two
    ],
)
def test_a_model_of_another_kind_is_refused(was: bytes, now: bytes, says: str) -> None:
    with pytest.raises(PainterError, match=says):
        OnnxNetwork(MODEL.replace(was, now))


def test_planes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(PainterError, match="cannot be run"):
        OnnxNetwork(MODEL).run(np.zeros((1, 5, 16, 16), np.float32))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30, 5, -5])
def test_what_is_no_colour_does_not_reach_the_display(value: float) -> None:
    planes = some_planes()
    planes[0, 0, 0, 0] = value
    with pytest.raises(PainterError, match="no colours"):
        OnnxNetwork(MODEL).run(planes)


def test_damaged_models_are_refused_or_run(capfd: pytest.CaptureFixture[str]) -> None:
    rng, planes, refused = np.random.default_rng(1), some_planes(1, 16, 16), 0
    for _ in range(200):
        model = bytearray(MODEL)
        model[rng.integers(len(model))] ^= 1 << rng.integers(8)
        try:
            OnnxNetwork(bytes(model), threads=1).run(planes)
        except PainterError:
            refused += 1
    assert 50 < refused < 200
    assert capfd.readouterr().out == ""


def test_devices_that_are_not_here_are_named() -> None:
    assert "cpu" in onnx_devices()
    if "cuda" not in onnx_devices():
        with pytest.raises(PainterError, match=r"no cuda here; pip install 'exgs\[cpu\]'"):
            OnnxNetwork(MODEL, device="cuda")


def test_without_onnxruntime_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(PainterError, match=r"pip install 'exgs\[cpu\]'"):
        OnnxNetwork(MODEL)
    assert onnx_devices() == ()


def weights_of(folder: Path, tensors: dict[str, np.ndarray]) -> Weights:
    """``tiny``'s graph beside other ``tensors``."""
    numpy = pytest.importorskip("safetensors.numpy")
    shutil.copytree(SHELF / "tiny", folder)
    data = numpy.save(tensors)
    (folder / "model.safetensors").write_bytes(data)
    document = json.loads((folder / "manifest.json").read_text())
    document["sha256"]["safetensors"] = hashlib.sha256(data).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(document))
    return open_weights(str(folder))


def test_tensors_that_are_not_those_of_the_graph_are_refused(tmp_path: Path) -> None:
    tensors = arrays(open_weights("tiny"), PainterError)
    name = max(tensors, key=lambda name: tensors[name].size)
    missing = {key: array for key, array in tensors.items() if key != name}
    foreign = tensors | {"foreign": np.zeros(100, np.float16)}
    other = tensors | {name: tensors[name][:1]}
    for number, wrong in enumerate((missing, foreign, other)):
        with pytest.raises(PainterError, match="not a model that onnxruntime can run"):
            open_network(weights_of(tmp_path / str(number), wrong))
    imaginary = tensors | {name: np.zeros(tensors[name].shape, np.complex64)}
    with pytest.raises(PainterError, match="not tensors that onnxruntime can take"):
        open_network(weights_of(tmp_path / "imaginary", imaginary))
    torn = weights_of(tmp_path / "torn", tensors)
    (torn.folder / "model.safetensors").write_bytes(b"\x08")
    with pytest.raises(WeightsError, match="sha256 differs"):
        open_network(torn)

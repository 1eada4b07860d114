"""The restorer on a GPU against the one on the CPU; skipped where onnxruntime has no CUDA."""

from pathlib import Path

import numpy as np
import pytest

from exgs.painter.onnx_network import OnnxNetwork, onnx_devices

pytestmark = pytest.mark.gpu

MODEL = (Path(__file__).parents[1] / "painter" / "data" / "half" / "model.onnx").read_bytes()


@pytest.mark.parametrize("device", ["cuda", "tensorrt"])
def test_pictures_are_those_of_the_cpu(device: str) -> None:
    if device not in onnx_devices():
        pytest.skip(f"onnxruntime has no {device} here")
    network, reference = OnnxNetwork(MODEL, device=device), OnnxNetwork(MODEL)
    for shape in ((2, 6, 64, 48), (1, 6, 32, 32), (2, 6, 64, 48)):
        planes = np.random.default_rng(1).random(shape, np.float32)
        assert np.allclose(network.run(planes), reference.run(planes), atol=5e-3)

"""Makes the tests' weights: ``python -m tests.painter.data.make`` (needs the package onnx).

``half`` gives half of each colour, a quarter of alpha and an eighth of disparity; its gate is 0.5 + rate / 2.
"""

import hashlib
import json
from pathlib import Path

import numpy as np

HALF = Path(__file__).parent / "half"


def main() -> None:
    from onnx import TensorProto, checker, helper, numpy_helper

    kernel = np.zeros((4, 6, 1, 1), np.float32)
    kernel[range(3), range(3)] = 0.5
    kernel[:3, 3], kernel[:3, 4], kernel[3, 5] = 0.25, 0.125, 0.5
    bias = np.array([0, 0, 0, 0.5], np.float32)
    shapes = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", channels, "height", "width"])
              for name, channels in (("planes", 6), ("restored", 4))]  # fmt: skip
    graph = helper.make_graph(
        [helper.make_node("Conv", ["planes", "kernel", "bias"], ["restored"])],
        "half", shapes[:1], shapes[1:],
        [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(bias, "bias")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    data = model.SerializeToString()
    manifest = {
        "name": "half",
        "version": 1,
        "sha256": {"onnx": hashlib.sha256(data).hexdigest()},
        "gate": {"splats_per_pixel": 0.5},
    }
    HALF.mkdir(exist_ok=True)
    (HALF / "model.onnx").write_bytes(data)
    (HALF / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()

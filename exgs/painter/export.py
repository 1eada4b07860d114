"""Turns trained weights into the folder that restoring takes: safetensors, an ONNX graph and a manifest."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from exgs.painter.errors import PainterError
from exgs.painter.networks import Painter, parameters
from exgs.painter.onnx_network import HALF, HALVED_FROM, INPUT, OUTPUT
from exgs.painter.planes import MULTIPLE, PLANES
from exgs.painter.shelf import FILES
from exgs.weights.shelf import write_weights
from exgs.weights.tensors import to_safetensors

OPSET = 18
MOST_IN_ONNX = 400_000_000
"""Parameters beyond which no ONNX model is written: in float32 it would not fit the 2 GiB of its format."""
LARGEST = 1e-3
"""How far torch and ONNX may be apart."""
_TRIAL, _OTHER_TRIAL = (4 * MULTIPLE, 6 * MULTIPLE), (3 * MULTIPLE, 5 * MULTIPLE)


def export(network: Painter, folder: Path, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Writes weights, model and manifest into ``folder``; gives the manifest.

    A network of which no ONNX model can be made is run by torch. ``facts`` are what the manifest says
    besides: name, architecture, where they come from, scores.

    Raises:
        PainterError: the model does not compute what the network computes.
        SceneError: a file cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {"safetensors": to_safetensors(network), **_onnx_if_possible(network)}
    if "onnx" in files and (graph := hollowed(files["onnx"], files["safetensors"])) is not None:
        files = {"safetensors": files["safetensors"], "graph": graph}
    said = {**facts, "planes": list(PLANES[: network.planes]), "parameters": parameters(network)}
    return write_weights(folder, files, said)


def _onnx_if_possible(network: Painter) -> dict[str, bytes]:
    """The ONNX model; none of a foreign network that is too large for one, or not made for it."""
    foreign = any(True for _ in network.pretrained())
    if foreign and parameters(network) > MOST_IN_ONNX:
        return {}
    if not foreign:
        return {"onnx": to_onnx(network)}
    other = torch.rand((1, network.planes, *_OTHER_TRIAL), generator=torch.Generator().manual_seed(1))
    try:
        model = to_onnx(network)
        return {"onnx": model} if difference(network, model, other) <= LARGEST else {}
    except (PainterError, torch.onnx.OnnxExporterError):  # some are bound to the size they were traced at
        return {}


def to_onnx(network: Painter) -> bytes:
    """A model for any number of pictures whose sides are multiples of 16; weights in float16.

    Raises:
        PainterError: it does not compute what the network computes.
    """
    import onnx

    trial = torch.rand((2, network.planes, *_TRIAL), generator=torch.Generator().manual_seed(0))
    sides = {axis: MULTIPLE * torch.export.Dim(name) for axis, name in ((2, "rows"), (3, "columns"))}
    with quietly():
        program = torch.onnx.export(
            network,
            (trial,),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("pictures"), **sides},),
            opset_version=OPSET,
            verbose=False,
        )
    model = halved(program.model_proto)
    onnx.checker.check_model(model)
    data = bytes(model.SerializeToString())
    apart = difference(network, data, trial)
    if apart > LARGEST:
        raise PainterError(
            f"the ONNX model is {apart:.2g} apart from the network, expected {LARGEST:g} at most"
        )
    return data


def halved(model: Any) -> Any:
    """``model`` with large weights kept in float16 and cast to float32 where they are used; and stripped of
    what names the machine it was made on."""
    import onnx
    from onnx import numpy_helper

    nodes = []
    for index, tensor in enumerate(model.graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size < HALVED_FROM:
            continue
        name = tensor.name
        half = numpy_helper.from_array(values.astype(np.float16), name + HALF)
        model.graph.initializer[index].CopyFrom(half)
        nodes.append(onnx.helper.make_node("Cast", [name + HALF], [name], to=onnx.TensorProto.FLOAT))
    nodes += [_bare(node) for node in model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    del model.graph.value_info[:]
    for named in (model, model.graph, *model.graph.input, *model.graph.output):
        del named.metadata_props[:]
    model.graph.doc_string = model.doc_string = ""
    return model


def hollowed(model: bytes, tensors: bytes) -> bytes | None:
    """``model`` with its large weights left to the safetensors file that holds ``tensors``, in which every
    program that reads ONNX finds them; None where any of these is not the model's own."""
    import onnx
    import safetensors.numpy
    from onnx import numpy_helper
    from onnx.external_data_helper import set_external_data

    found, kept = onnx.load_from_string(model), safetensors.numpy.load(tensors)
    apart = {name + HALF for name, array in kept.items() if array.size >= HALVED_FROM}
    whole = {tensor.name: numpy_helper.to_array(tensor) for tensor in found.graph.initializer}
    small = [name for name, array in kept.items() if array.size < HALVED_FROM and name in whole]
    if any(not np.array_equal(whole[name].astype(np.float16), kept[name]) for name in small):
        return None
    length = int.from_bytes(tensors[:8], "little")
    places = json.loads(tensors[8 : 8 + length])
    for tensor in found.graph.initializer:
        if tensor.name not in apart:
            continue
        name = tensor.name.removesuffix(HALF)
        if not np.array_equal(numpy_helper.to_array(tensor), kept[name]):
            return None
        begin, end = places[name]["data_offsets"]
        set_external_data(tensor, FILES["safetensors"], offset=8 + length + begin, length=end - begin)
        tensor.ClearField("raw_data")
        apart.remove(tensor.name)
    return None if apart else bytes(found.SerializeToString())


def difference(network: Painter, model: bytes, planes: Tensor) -> float:
    """Largest distance between what torch and onnxruntime give for ``planes``."""
    from exgs.painter.onnx_network import OnnxNetwork

    with torch.no_grad():
        expected = network(planes).numpy()
    return float(np.abs(OnnxNetwork(model).run(planes.numpy()) - expected).max())


@contextmanager
def quietly() -> Iterator[None]:
    """Keeps to itself what the exporter says of packages that this model does not need."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript", "onnx_ir")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)


def _bare(node: Any) -> Any:
    del node.metadata_props[:]
    node.doc_string = ""
    return node

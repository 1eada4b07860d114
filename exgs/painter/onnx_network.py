"""A network run by onnxruntime. The one file that imports it."""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from exgs.painter.errors import PainterError
from exgs.painter.network import OUTPUTS, checked_output
from exgs.painter.planes import FEWEST, PLANES
from exgs.painter.shelf import Weights
from exgs.raster.crew import Crew
from exgs.weights.tensors import arrays

INPUT, OUTPUT = "planes", "restored"
HALVED_FROM, HALF = 64, ".half"
"""Numbers from which on a tensor is kept in float16, and what its name in a model then ends with."""
KEPT_SIZES = 4
"""Sizes of pictures that sessions are kept for."""
PROVIDERS = {
    "cpu": ("CPUExecutionProvider",),
    "cuda": ("CUDAExecutionProvider", "CPUExecutionProvider"),
    "tensorrt": ("TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"),
}
OPTIONS: dict[str, dict[str, str]] = {
    "CUDAExecutionProvider": {"cudnn_conv_algo_search": "HEURISTIC"},
    "TensorrtExecutionProvider": {"trt_fp16_enable": "1"},
}
REMEDY = "pip install 'exgs[cpu]', or 'exgs[gpu]' on a machine with an NVIDIA GPU"


def onnx_problem() -> str | None:
    """Why onnxruntime cannot run weights here, with the remedy; None where it can."""
    missing = [name for name in ("onnxruntime", "safetensors") if importlib.util.find_spec(name) is None]
    return f"{' and '.join(missing)}: not installed: {REMEDY}" if missing else None


def onnx_devices() -> tuple[str, ...]:
    """The devices whose providers are built into onnxruntime here; none without it."""
    if onnx_problem() is not None:
        return ()
    import onnxruntime

    built = onnxruntime.get_available_providers()
    return tuple(device for device, providers in PROVIDERS.items() if providers[0] in built)


@dataclass(frozen=True, eq=False)
class _Fixed:
    """A session for one size of pictures, with its places to read from and write to."""

    session: Any
    binding: Any
    planes: Any
    restored: Any
    out: np.ndarray


class OnnxNetwork:
    """Keeps a session with fixed shapes for each of the last few sizes of pictures."""

    def __init__(
        self,
        model: bytes,
        tensors: Mapping[str, np.ndarray] = MappingProxyType({}),
        *,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        """``tensors`` are those that a graph leaves to another file; ``threads`` None takes all processors.

        Raises:
            PainterError: onnxruntime is missing, has no such device, or this is no model for it.
        """
        problem = onnx_problem()
        if problem is not None:
            raise PainterError(problem)
        if device not in onnx_devices():
            raise PainterError(f"onnxruntime has no {device} here; {REMEDY} (never both)")
        self._model, self._threads = model, Crew(threads).threads
        self._tensors = _values(tensors)
        self.device = device
        session = self._session({})
        try:
            self._free, self._planes = _checked_input(session)
            _check_output(session)
        except UnicodeDecodeError as error:
            raise PainterError(
                f"not a model that onnxruntime can run: a name is no text ({error})"
            ) from error
        if session.get_providers()[0] != PROVIDERS[device][0]:
            raise PainterError(f"onnxruntime cannot use {device} on this machine: see 'exgs doctor'")
        self._fixed: OrderedDict[tuple[int, ...], _Fixed] = OrderedDict()

    def run(self, planes: np.ndarray) -> np.ndarray:
        """[B,4,H,W] float32 of ``planes`` [B,7,H,W]; valid until the next call."""
        planes = np.ascontiguousarray(planes[:, : self._planes], np.float32)
        try:
            fixed = self._at(planes.shape)
            if self.device == "cpu":
                fixed.binding.bind_ortvalue_input(INPUT, _value(planes))
            else:
                fixed.planes.update_inplace(planes)
            fixed.session.run_with_iobinding(fixed.binding)
        except _errors() as error:
            raise PainterError(f"the network cannot be run: {_first_line(error)}") from error
        out = fixed.out if self.device == "cpu" else fixed.restored.numpy()
        return checked_output(out, planes)

    def _at(self, shape: tuple[int, ...]) -> _Fixed:
        """The session for planes of ``shape``."""
        fixed = self._fixed.pop(shape, None) or self._fix(shape)
        self._fixed[shape] = fixed
        while len(self._fixed) > KEPT_SIZES:
            self._fixed.popitem(last=False)
        return fixed

    def _fix(self, shape: tuple[int, ...]) -> _Fixed:
        names = {name: shape[axis] for axis, name in self._free.items()}
        session = self._session(names)
        binding = session.io_binding()
        out = np.empty((shape[0], OUTPUTS, *shape[2:]), np.float32)
        place = "cpu" if self.device == "cpu" else "cuda"
        planes, restored = _value(np.zeros(shape, np.float32), place), _value(out, place)
        binding.bind_ortvalue_input(INPUT, planes)
        binding.bind_ortvalue_output(OUTPUT, restored)
        return _Fixed(session, binding, planes, restored, out)

    def _session(self, sizes: dict[str, int]) -> Any:
        """A session in which the axes named in ``sizes`` have that length."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = self._threads, 1
        options.log_severity_level = 4
        options.use_deterministic_compute = True
        # Threads that wait would take the processors from the rasteriser.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        for name, length in sizes.items():
            options.add_free_dimension_override_by_name(name, length)
        if self._tensors:
            options.add_external_initializers(list(self._tensors), list(self._tensors.values()))
        providers = [(name, OPTIONS.get(name, {})) for name in PROVIDERS[self.device]]
        try:
            return onnxruntime.InferenceSession(self._model, options, providers, enable_fallback=0)
        except _errors() as error:
            raise PainterError(f"not a model that onnxruntime can run: {_first_line(error)}") from error


def has_onnx(weights: Weights) -> bool:
    """Whether a folder of ``weights`` holds what onnxruntime runs."""
    return not weights.manifest.sha256.keys().isdisjoint({"onnx", "graph"})


def open_network(weights: Weights, *, device: str = "cpu", threads: int | None = None) -> OnnxNetwork:
    """The network of a folder of ``weights``: of a whole model, or of a graph and the tensors beside it.

    Raises:
        PainterError: it cannot be run on ``device``, or the tensors are not those of the graph.
        WeightsError: a file is missing, or not the one that the manifest names.
    """
    if "graph" not in weights.manifest.sha256:
        return OnnxNetwork(weights.read("onnx"), device=device, threads=threads)
    tensors = arrays(weights, PainterError)
    return OnnxNetwork(weights.read("graph"), tensors, device=device, threads=threads)


def _checked_input(session: Any) -> tuple[dict[int, str], int]:
    """The names of the axes B, H and W by their numbers, and how many planes the model takes, if it takes
    planes of any size."""
    inputs = [value for value in session.get_inputs() if value.name == INPUT]
    if len(session.get_inputs()) != 1 or not inputs:
        found = ", ".join(value.name for value in session.get_inputs()) or "none"
        raise PainterError(f"the model's inputs are {found}; expected one, {INPUT}")
    shape = inputs[0].shape
    if inputs[0].type != "tensor(float)" or len(shape) != 4 or shape[1] not in (FEWEST, len(PLANES)):
        found = f"{inputs[0].type} {shape}"
        raise PainterError(f"the model's {INPUT} are {found}, expected float32 [B,{len(PLANES)},H,W]")
    free = {axis: length for axis, length in enumerate(shape) if isinstance(length, str)}
    if set(free) != {0, 2, 3}:
        raise PainterError(f"the model's {INPUT} are {shape}, expected any B, H and W")
    return free, int(shape[1])


def _check_output(session: Any) -> None:
    outputs = {value.name: value for value in session.get_outputs()}
    found = outputs.get(OUTPUT)
    if found is None or found.type != "tensor(float)":
        raise PainterError(f"the model's outputs are {', '.join(outputs)}; expected {OUTPUT}, float32")


def _value(array: np.ndarray, device: str = "cpu") -> Any:
    """``array`` as onnxruntime takes it: the very memory on the CPU, a copy elsewhere."""
    import onnxruntime

    return onnxruntime.OrtValue.ortvalue_from_numpy(array, device, 0)


def _values(tensors: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Those of ``tensors`` that a graph leaves out, by their names there."""
    try:
        return {name + HALF: _value(array) for name, array in tensors.items() if array.size >= HALVED_FROM}
    except _errors() as error:
        raise PainterError(f"not tensors that onnxruntime can take: {_first_line(error)}") from error


def _errors() -> tuple[type[Exception], ...]:
    """All that onnxruntime raises; it has no root for them."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = ("EPFail", "Fail", "InvalidArgument", "InvalidGraph", "InvalidProtobuf", "ModelLoaded", "NoModel",
             "NoSuchFile", "NotImplemented", "RuntimeException")  # fmt: skip
    return (RuntimeError, ValueError, *(getattr(state, name) for name in names if hasattr(state, name)))


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0][:200]

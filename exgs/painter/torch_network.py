"""A network run by torch, where onnxruntime cannot be had: the same weights, the same pictures."""

from __future__ import annotations

import importlib.util

import numpy as np

from exgs.painter.errors import PainterError
from exgs.painter.network import checked_output
from exgs.painter.planes import PLANES
from exgs.painter.shelf import Weights

REMEDY = "pip install 'exgs[train]'"


def torch_problem() -> str | None:
    """Why torch cannot be used here, with the remedy; None where it can."""
    missing = [name for name in ("torch", "safetensors") if importlib.util.find_spec(name) is None]
    return f"{' and '.join(missing)}: not installed: {REMEDY}" if missing else None


class TorchNetwork:
    """Builds what the manifest describes, on a CUDA device where there is one."""

    def __init__(self, weights: Weights) -> None:
        """Takes the float16 weights and computes with float32.

        Raises:
            PainterError: torch is missing, or the weights are not those of the architecture.
        """
        problem = torch_problem()
        if problem is not None:
            raise PainterError(problem)
        import safetensors
        import safetensors.torch
        import torch

        from exgs.painter.checkpoint import check_weights
        from exgs.painter.networks import build

        where = weights.folder
        architecture = weights.manifest.document.get("architecture")
        if not isinstance(architecture, dict):
            raise PainterError(f'{where}: expected an object "architecture"')
        try:
            state = safetensors.torch.load(weights.read("safetensors"))
            with torch.device("meta"):  # nothing is allocated before shapes are known to be those of the file
                network = build(architecture)
            check_weights(network, state, str(where))
            network.load_state_dict({name: value.float() for name, value in state.items()}, assign=True)
            place = "cuda" if torch.cuda.is_available() else "cpu"
            self._place, self._network = place, network.to(place).eval()
        except (safetensors.SafetensorError, RuntimeError, TypeError, ValueError) as error:
            raise PainterError(f"{where}: not the weights of its architecture: {str(error)[:200]}") from error
        self.device = f"torch {place}"

    def run(self, planes: np.ndarray) -> np.ndarray:
        """[B,4,H,W] float32 of ``planes`` [B,7,H,W]."""
        import torch

        if planes.ndim != 4 or planes.shape[1] < self._network.planes:
            raise PainterError(f"expected planes [B,{len(PLANES)},H,W], found {list(planes.shape)}")
        with torch.inference_mode():
            seen = torch.from_numpy(np.array(planes, np.float32)).to(self._place)
            return checked_output(self._network(seen).cpu().numpy(), planes)

"""A network run by torch, where onnxruntime cannot be had: the same weights, the same pictures."""

from __future__ import annotations

import numpy as np

from exgs.painter.errors import PainterError
from exgs.painter.network import checked_output
from exgs.painter.planes import PLANES
from exgs.painter.shelf import Weights
from exgs.weights.tensors import load, require_torch


class TorchNetwork:
    """Builds what the manifest describes, on a CUDA device where there is one."""

    def __init__(self, weights: Weights) -> None:
        """Takes the float16 weights and computes with float32.

        Raises:
            PainterError: torch is missing, or the weights are not those of the architecture.
        """
        require_torch(PainterError)
        import torch

        from exgs.painter.networks import build

        self._place = "cuda" if torch.cuda.is_available() else "cpu"
        self._network = load(weights, build, PainterError).to(self._place)
        self.device = f"torch {self._place}"

    def run(self, planes: np.ndarray) -> np.ndarray:
        """[B,4,H,W] float32 of ``planes`` [B,7,H,W]."""
        import torch

        if planes.ndim != 4 or planes.shape[1] < self._network.planes:
            raise PainterError(f"expected planes [B,{len(PLANES)},H,W], found {list(planes.shape)}")
        with torch.inference_mode():
            seen = torch.from_numpy(np.array(planes, np.float32)).to(self._place)
            return checked_output(self._network(seen).cpu().numpy(), planes)

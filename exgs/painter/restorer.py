"""The restorer that asks a network: gate, planes, network, and what the last frame knew."""

from __future__ import annotations

import numpy as np

from exgs.painter.gate import hole_share
from exgs.painter.manifest import Manifest
from exgs.painter.network import Network
from exgs.painter.planes import planes, unplanes
from exgs.painter.recall import Recall
from exgs.painter.seam import Pictures, Restored


class NetworkRestorer:
    """Restores what the gate lets through; both eyes in one batch, and nothing at random."""

    def __init__(self, network: Network, manifest: Manifest, *, recall: Recall | None = None) -> None:
        """``recall`` is for frames of a video, in their order; None for pictures that stand alone."""
        self.name = f"{manifest.name} on {network.device}"
        self._network, self._gate, self._recall = network, manifest.gate, recall
        self._needed = True

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        """Whether any of the pictures may be restored: of a video, those after one without holes are not.

        Where holes come up, the first frame of them goes without; what it had got is next to nothing.
        """
        return self._needed and bool(self._gate.strength(splats_per_pixel).any())

    def restore(self, pictures: Pictures) -> Restored:
        """Restores ``pictures``, which have depth and layers where depth was wanted; (ValueError otherwise).

        Raises:
            PainterError: the network gives something else than pictures.
        """
        strength = self._gate.strength(pictures.splats_per_pixel)
        unasked = not self._needed and pictures.depth is None
        if strength.any():
            need = self._gate.need(hole_share(pictures.alpha))
            self._needed = self._recall is None or bool(need.any())
            strength = strength * need
        if unasked or not strength.any():
            if self._recall is not None:
                self._recall.forget()
            return Restored(pictures.color, "rich")
        color = self._asked(pictures)
        if self._recall is not None:
            color = self._recall.steady(pictures, color)
        if (strength < 1).any():
            share = strength[:, None, None, None]
            color = pictures.color + share * (color - pictures.color)
        return Restored(color, "restored")

    def forget(self) -> None:
        """What comes next has nothing to do with what came before."""
        self._needed = True
        if self._recall is not None:
            self._recall.forget()

    def _asked(self, pictures: Pictures) -> np.ndarray:
        """[B,H,W,3] what the network makes of them."""
        if pictures.depth is None or pictures.layers is None:
            raise ValueError("expected pictures with depth and layers")
        height, width = pictures.depth.shape[1:]
        seen = planes(
            pictures.color, pictures.alpha, pictures.depth, pictures.splats_per_pixel, pictures.layers
        )
        return unplanes(self._network.run(seen), (width, height))[0]

"""The restorer that asks a network: gate, planes, network, and what the last frame knew."""

from __future__ import annotations

import numpy as np

from exgs.painter.gate import confidence, hole_share
from exgs.painter.manifest import Manifest
from exgs.painter.network import Network
from exgs.painter.planes import planes, unplanes
from exgs.painter.recall import Recall
from exgs.painter.seam import Pictures, Restored, Verdict


class NetworkRestorer:
    """Restores what the gate lets through; both eyes in one batch, and nothing at random.

    Of a video it keeps what the last frame taught, and that is written by ``restore`` and ``forget`` alone:
    frames may be drawn ahead of restoring, and be left out.
    """

    def __init__(self, network: Network, manifest: Manifest, *, recall: Recall | None = None) -> None:
        """``recall`` is for frames of a video, in their order; None for pictures that stand alone."""
        self.name = f"{manifest.name} on {network.device}"
        self._network, self._gate, self._recall = network, manifest.gate, recall
        self._whole = False
        """Whether the last frame of the video had no holes to speak of; not where nothing is known of it."""

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        """Whether any of the pictures may be restored: of a video, those after one without holes are not.

        Where holes come up, the first frames of them go without; what they had got is next to nothing.
        """
        return not self._whole and bool(self._gate.strength(splats_per_pixel).any())

    def restore(self, pictures: Pictures) -> Restored:
        """Restores ``pictures``; frames of a video without depth are left alone, as the one before them was.

        Raises:
            PainterError: the network gives something else than pictures.
            ValueError: a picture that stands alone is to be restored, and has no depth and layers.
        """
        strength = self._gate.strength(pictures.splats_per_pixel)
        if not strength.any():
            return self._left_alone(pictures, "rich")
        strength = strength * self._need(pictures)
        unasked = self._recall is not None and pictures.depth is None
        if unasked or not strength.any():
            return self._left_alone(pictures, "whole")
        color, gate = self._asked(pictures)
        strength = strength * np.float32(self._gate.trust(confidence(gate, pictures.alpha)))
        if not strength.any():
            return self._left_alone(pictures, "unsure")
        if self._recall is not None:
            color = self._recall.steady(pictures, color)
        if (strength < 1).any():
            share = strength[:, None, None, None]
            color = pictures.color + share * (color - pictures.color)
        return Restored(color, "restored")

    def forget(self) -> None:
        """What comes next has nothing to do with what came before."""
        self._whole = False
        if self._recall is not None:
            self._recall.forget()

    def _left_alone(self, pictures: Pictures, verdict: Verdict) -> Restored:
        """``pictures`` as they are; what was recalled of the frames before is worth nothing any more."""
        if self._recall is not None:
            self._recall.forget()
        return Restored(pictures.color, verdict)

    def _need(self, pictures: Pictures) -> np.ndarray:
        """[B] float32 share of the restoration that holes call for; notes whether a video has any."""
        need = self._gate.need(hole_share(pictures.alpha))
        self._whole = self._recall is not None and not need.any()
        return need

    def _asked(self, pictures: Pictures) -> tuple[np.ndarray, np.ndarray]:
        """[B,H,W,3] what the network makes of them, and [B,H,W] how far its gate is open."""
        if pictures.depth is None or pictures.layers is None:
            raise ValueError("expected pictures with depth and layers")
        height, width = pictures.depth.shape[1:]
        seen = planes(
            pictures.color, pictures.alpha, pictures.depth, pictures.splats_per_pixel, pictures.layers
        )
        return unplanes(self._network.run(seen), (width, height))

"""The network: posed pictures in, Gaussians out, with ZPressor between the encoder and the multi-view part.

A compact member of the family of MVSplat (arXiv 2403.14627) and DepthSplat (arXiv 2410.13862). Its parts are
methods here, so that ``reconstructing`` can run them one view after the other; ``forward`` runs them at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from exgs.feedforward.anchors import Anchors
from exgs.feedforward.cameras import Rig
from exgs.feedforward.cloud import Cloud
from exgs.feedforward.encoder import Encoder, padded
from exgs.feedforward.errors import FeedforwardError
from exgs.feedforward.heads import Heads, cross_check, to_cloud
from exgs.feedforward.matching import DepthNetwork, Depths, match, plan_sweeps
from exgs.feedforward.sweeping import Plan
from exgs.feedforward.zpressor import Exchange, crowd
from exgs.scene import Camera

ARCHITECTURES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "small": {"fine": 48, "wide": 96, "steps": 32, "quarter": 64, "deep": 128, "heads": 3, "blocks": 2},
        "base": {"fine": 96, "wide": 192, "steps": 64, "quarter": 128, "deep": 256, "heads": 6, "blocks": 4},
    }
)
"""What the sizes are called, and what ``build`` makes of them."""
RANGES: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"fine": (1, 1024), "wide": (1, 1024), "steps": (5, 512), "quarter": (1, 1024), "deep": (1, 1024),
     "heads": (1, 64), "blocks": (1, 64)}
)  # fmt: skip
"""What each number of an architecture may be: a manifest may say anything, and modules take memory each."""
PRESSOR_BLOCKS, MULTI_VIEW_BLOCKS = 6, 2


def build(architecture: Mapping[str, Any]) -> Reconstructor:
    """The network that ``architecture`` describes, with random weights.

    Raises:
        FeedforwardError: it describes none, or one beyond ``RANGES``.
    """
    for name, (least, most) in RANGES.items():
        value = architecture.get(name)
        if type(value) is not int or not least <= value <= most:
            raise FeedforwardError(f"architecture: {name} {str(value)[:40]}, expected {least} to {most}")
    try:
        return Reconstructor(**architecture)
    except (TypeError, ValueError) as error:
        raise FeedforwardError(f"architecture {str(dict(architecture))[:200]}: {error}") from error


class Reconstructor(nn.Module):
    """Posed pictures to Gaussians."""

    def __init__(
        self, *, fine: int, wide: int, steps: int, quarter: int, deep: int, heads: int, blocks: int
    ) -> None:
        """Channels at a quarter (``fine`` in the encoder, ``quarter`` behind), at an eighth (``wide``) and at
        a sixteenth (``deep``); ``steps`` of the ladder; attention ``heads``; residual ``blocks``."""
        super().__init__()
        self.steps, self.wide, self.quarter = steps, wide, quarter
        self.encoder = Encoder(fine, wide, blocks)
        self.pressor = Exchange(wide, heads, PRESSOR_BLOCKS)
        self.multi_view = Exchange(wide, heads, MULTI_VIEW_BLOCKS)
        self.depth_network = DepthNetwork(steps, (quarter, wide, deep), fine)
        self.heads = Heads(quarter, quarter, blocks)
        self.to(memory_format=torch.channels_last)

    @property
    def device(self) -> str:
        """What computes: ``cpu`` or ``cuda``, where the weights are."""
        return str(next(self.parameters()).device.type)

    def forward(
        self,
        pictures: Tensor,
        cameras: Sequence[Camera],
        near: float,
        far: float,
        anchors: Anchors | None,
        *,
        depths: Tensor | None = None,
    ) -> Cloud:
        """The Gaussians of ``pictures`` [V,3,H,W] in [0, 1] with depths from ``near`` to ``far``.

        ``anchors`` None lets every view go on. ``depths`` [A,ceil(H/2),ceil(W/2)], z along the view, take the
        place of the estimated ones (for tests and for studies of what depth is worth).
        """
        rig = Rig.of(cameras, near, far)
        check_pictures(pictures, rig)
        pictures = padded(pictures)
        views = list(range(len(rig))) if anchors is None else list(anchors.indices)
        encoded = self.encoder(pictures)
        known = encoded.wide[views]
        if anchors is not None:
            known = self.press(rig, known, dict(enumerate(crowd(encoded.wide))), anchors)
        known = self.look_around(rig, views, known)
        found = self.find_depths(rig, views, encoded.matching, encoded.fine[views], known)
        checks = cross_check(rig, views, found.inverse, self.steps, range(len(views)))
        return self.place(rig, views, pictures[views], found, checks, given=depths)

    def press(self, rig: Rig, tokens: Tensor, others: Mapping[int, Tensor], anchors: Anchors) -> Tensor:
        """[A,C,h,w] of the anchors' ``tokens`` [A,C,h,w] and the ``crowd`` [C,h/2,w/2] of their supports."""
        return self.pressor(rig, anchors.indices, anchors.supports, tokens, others)

    def look_around(self, rig: Rig, views: Sequence[int], tokens: Tensor) -> Tensor:
        """[A,C,h,w] of the ``tokens`` [A,C,h,w] of ``views`` that go on, each with what the others know."""
        companions = [rig.companions(view, views) for view in views]
        return self.multi_view(rig, views, companions, tokens, dict(zip(views, crowd(tokens), strict=True)))

    def find_depths(
        self, rig: Rig, views: Sequence[int], matching: Tensor, fine: Tensor, known: Tensor
    ) -> Depths:
        """The depths of ``views``, matched among all views, whose features are ``matching`` [V,C,h,w]."""
        plan = plan_sweeps(rig, views, self.steps)
        return self.depths_of(plan, matching[list(views)], matching, fine, known)

    def depths_of(self, plan: Plan, queries: Tensor, keys: Tensor, fine: Tensor, known: Tensor) -> Depths:
        """The depths that the sweeps of ``plan`` find."""
        matches, ladder = match(queries, keys, plan, self.steps)
        return self.depth_network(matches, ladder, fine, known)

    def place(
        self,
        rig: Rig,
        views: Sequence[int],
        pictures: Tensor,
        found: Depths,
        checks: Tensor,
        *,
        given: Tensor | None = None,
    ) -> Cloud:
        """The Gaussians of ``views`` with ``pictures`` [A,3,H,W], padded at ``found`` or ``given`` depths."""
        inverse, values = self.heads(pictures, found, checks)
        if given is not None:
            inverse = inverse.clone()
            inverse[:, 0, : given.shape[1], : given.shape[2]] = rig.near / given
        return to_cloud(rig, views, inverse, values, found)


def check_pictures(pictures: Tensor, rig: Rig) -> None:
    """Raises FeedforwardError unless ``pictures`` [V,3,H,W] belong to the cameras of ``rig``."""
    width, height = rig.size
    if tuple(pictures.shape) != (len(rig), 3, height, width):
        raise FeedforwardError(
            f"pictures of shape {list(pictures.shape)}: expected {[len(rig), 3, height, width]}"
        )

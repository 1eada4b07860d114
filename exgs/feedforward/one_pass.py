"""One pass of posed pictures through the network, with memory that hardly grows with their number.

Views are encoded one after the other, and of each only what later steps ask for is kept, in half precision:
of an anchor its features, of a view that anchors are matched with what matching compares, of a support what
ZPressor gathers. Then anchors are gone through one after the other, twice, for each is checked against what
the others found. With V views of P pixels, A of which go on, ``small`` takes at most about

    weights + P x (max(500, 120 + 9 S) + 42 A + 4 min(V, 5 A) + V) bytes

where an anchor has S supports at most. ``memory.foretold_bytes`` says it for any network, and a test holds it
against what is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from exgs.feedforward.anchors import Anchors
from exgs.feedforward.cameras import Rig
from exgs.feedforward.cloud import Cloud
from exgs.feedforward.encoder import padded
from exgs.feedforward.heads import cross_check
from exgs.feedforward.matching import Depths, plan_sweeps
from exgs.feedforward.network import Reconstructor
from exgs.feedforward.sweeping import Plan
from exgs.feedforward.views import Views
from exgs.feedforward.zpressor import crowd
from exgs.scene import Gaussians

Progress = Callable[[float], None]


def one_pass(
    views: Views, network: Reconstructor, anchors: Anchors | None, *, progress: Progress
) -> Gaussians:
    """The Gaussians of ``views``, of which ``anchors`` go on; all of them where it is None.

    Computes where ``network`` is. ``progress`` hears the share that is done, 0 to 1.
    """
    return _Run(views, network, anchors, progress).gaussians()


@dataclass(eq=False)
class _Kept:
    """What is kept of the views, by their numbers."""

    matching: dict[int, Tensor]
    fine: dict[int, Tensor]
    wide: dict[int, Tensor]
    crowd: dict[int, Tensor]


class _Run:
    """One reconstruction on its way."""

    def __init__(
        self, views: Views, network: Reconstructor, anchors: Anchors | None, progress: Progress
    ) -> None:
        self.source, self.network, self.progress = views, network, progress
        self.rig = Rig.of(views.cameras, views.near, views.far)
        self.views = tuple(anchors.indices if anchors else range(len(views)))
        self.supports = anchors.supports if anchors else None
        self.plan = plan_sweeps(self.rig, self.views, network.steps)
        self.matched = {*self.views, *(one.key for one in self.plan.sweeps)}
        self.steps_done, self.steps = 0, len(views) + (3 if anchors else 2) * len(self.views)

    def gaussians(self) -> Gaussians:
        """Goes through all of it."""
        kept = self._encode()
        self._press(kept)
        depths = [self._depths(kept, row) for row in range(len(self.views))]
        kept.matching.clear()
        inverse = torch.cat([found.inverse for found in depths])
        depths.reverse()
        return Gaussians.concatenate(
            [self._place(depths.pop(), inverse, row) for row in range(len(self.views))]
        )

    def _encode(self) -> _Kept:
        kept = _Kept({}, {}, {}, {})
        for view, picture in enumerate(self.source.pictures):
            pixels = padded(as_pictures(picture[None], self.network.device))
            encoded = self.network.encoder(pixels)
            if view in self.matched:
                kept.matching[view] = encoded.matching[0].half()
            if view in self.views:
                kept.fine[view], kept.wide[view] = encoded.fine[0].half(), encoded.wide[0].half()
            elif self.supports is not None:
                kept.crowd[view] = crowd(encoded.wide)[0].half()
            self._step()
        return kept

    def _press(self, kept: _Kept) -> None:
        """Lets each anchor gather its supports, whose tokens are then let go."""
        for view, supports in zip(self.views, self.supports or (), strict=False):
            tokens = kept.wide[view][None].float()
            kept.wide[view] = self.network.pressor(self.rig, [view], [supports], tokens, kept.crowd)[0]
            self._step()
        kept.crowd = {view: crowd(kept.wide[view][None])[0] for view in self.views}

    def _depths(self, kept: _Kept, row: int) -> Depths:
        view = self.views[row]
        near = self.rig.companions(view, self.views)
        known = self.network.multi_view(self.rig, [view], [near], kept.wide[view][None].float(), kept.crowd)
        plan, keys = self._swept(row)
        matching = torch.stack([kept.matching[key] for key in keys]).float()
        fine = kept.fine.pop(view)[None].float()
        found = self.network.depths_of(plan, matching[:1], matching, fine, known)
        self._step()
        return replace(found, features=found.features.half(), log_chances=found.log_chances[..., :0].clone())

    def _swept(self, row: int) -> tuple[Plan, list[int]]:
        """The sweeps of one view alone, and the views that their keys then are; itself the first."""
        mine = [self.plan.sweeps[index] for index in self.plan.rows(row)]
        keys = [self.views[row], *(one.key for one in mine)]
        sweeps = tuple(replace(one, query=0, key=number) for number, one in enumerate(mine, start=1))
        return replace(self.plan, sweeps=sweeps), keys

    def _place(self, found: Depths, inverse: Tensor, row: int) -> Gaussians:
        view = self.views[row]
        found = replace(found, features=found.features.float())
        checks = cross_check(self.rig, self.views, inverse, self.network.steps, [row])
        pixels = padded(as_pictures(self.source.pictures[view : view + 1], self.network.device))
        cloud: Cloud = self.network.place(self.rig, [view], pixels, found, checks)
        self._step()
        return cloud.visible().gaussians(self.source.frame)

    def _step(self) -> None:
        self.steps_done += 1
        self.progress(min(self.steps_done / self.steps, 1.0))


def as_pictures(pictures: np.ndarray, device: str = "cpu") -> Tensor:
    """[V,3,H,W] float32 in [0, 1] of ``pictures`` [V,H,W,3] uint8."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).to(device).permute(0, 3, 1, 2).float() / 255

"""Pictures of a session against those of the uncompressed scene, at the same poses.

A picture that was due is drawn from the chunks on display at that moment, by the product's rasteriser, and so
is that of the uncompressed scene. Fades are left out: a chunk counts from the moment it is on display. Before
anything is there the picture is black.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Protocol

import numpy as np

from exgs.codec import Assembly, Container, decode_chunk
from exgs.experiments.timeline import Timeline
from exgs.raster import Rasterizer
from exgs.raster.quality import psnr, ssim
from exgs.scene import Camera, Gaussians

MISSING = 0.1
"""A pixel is missing where its accumulated opacity falls short of the source's by more than this; where the
source has no more, there is nothing to be seen."""
NEAR_M = 2.0
"""What the source shows at this depth or nearer is the near field."""
KEPT_BYTES = 512 << 20
"""Pictures of the uncompressed scene are kept up to this, and drawn again beyond."""
PROBES = 4
"""Halvings of the time between two judged frames, to find a moment between them."""


@dataclass(frozen=True)
class Verdict:
    """What one picture is like."""

    psnr: float
    """In dB, against the uncompressed scene."""
    ssim: float
    """Likewise."""
    missing: float
    """Share of pixels that are missing."""
    near_missing: float
    """Share of the pixels of the near field that are missing; 0 where nothing is near."""
    seen: float = 1.0
    """Share of pixels in which the source shows anything."""


@dataclass(frozen=True, eq=False)
class _Truth:
    color: np.ndarray
    alpha: np.ndarray
    near: np.ndarray


class Shown(Protocol):
    """What a viewer sees of a scene with some of its chunks."""

    name: str
    """Tells it apart from others of the same judge."""
    everything: frozenset[int]
    """Ids of all chunks."""

    def gaussians(self, ids: frozenset[int]) -> Gaussians:
        """The scene with these chunks; not asked for none."""


class ShownStream:
    """An encoded scene."""

    def __init__(self, name: str, container: Container) -> None:
        self.name = name
        self.everything = frozenset(range(len(container.manifest)))
        self._container = container
        self._decoded: dict[int, Gaussians] = {}
        self._assembly = Assembly(container.parsed)

    def gaussians(self, ids: frozenset[int]) -> Gaussians:
        """The scene with these chunks."""
        for gone in self._assembly.resident - ids:
            self._assembly.remove(gone)
        for id in sorted(ids - self._assembly.resident):
            if id not in self._decoded:
                self._decoded[id] = decode_chunk(self._container.parsed, id, self._container.chunk(id))
            self._assembly.add(id, self._decoded[id])
        return self._assembly.gaussians()


class ShownFile:
    """A file that shows all or nothing."""

    def __init__(self, name: str, gaussians: Gaussians) -> None:
        self.name, self.everything = name, frozenset((0,))
        self._gaussians = gaussians

    def gaussians(self, ids: frozenset[int]) -> Gaussians:
        """All of it."""
        return self._gaussians


class Judge:
    """Judges sessions along one way through one scene; no picture is drawn or judged twice."""

    def __init__(
        self,
        source: Gaussians,
        camera_at: Callable[[float], Camera],
        rasterizer: Rasterizer,
        *,
        near_units: float,
        jobs: int = 1,
    ) -> None:
        """``near_units`` is how near the near field is; ``jobs`` pictures are drawn at a time."""
        self._source, self._camera_at, self._rasterizer = source, camera_at, rasterizer
        self._near_units, self._jobs = near_units, jobs
        self._truths: dict[float, _Truth] = {}
        self._verdicts: dict[tuple[str, frozenset[int], float], Verdict] = {}
        self._kept_bytes, self._lock = 0, Lock()

    def judge(
        self, timeline: Timeline, shown: Shown, times_s: Sequence[float]
    ) -> list[tuple[Verdict, Verdict]]:
        """For each time the verdict on what was shown, and on the whole of what was to be shown."""
        states = [(frozenset(timeline.shown_at(time_s)), time_s) for time_s in times_s]
        whole = [(shown.everything, time_s) for time_s in times_s]
        self._fill(shown, [*states, *whole])
        return [
            (self._verdicts[shown.name, *state], self._verdicts[shown.name, *all_of_it])
            for state, all_of_it in zip(states, whole, strict=True)
        ]

    def reached_s(
        self, timeline: Timeline, shown: Shown, share: float, times_s: Sequence[float]
    ) -> float | None:
        """When the PSNR first was ``share`` of that of the whole at the same pose; None for never.

        It is looked for among the ``times_s``, then between the one found and the one before it.
        """

        def enough(time_s: float) -> bool:
            ((now, final),) = self.judge(timeline, shown, [time_s])
            return now.psnr >= share * final.psnr

        last_s = 0.0
        for time_s in times_s:
            if not enough(time_s):
                last_s = time_s
                continue
            for _ in range(PROBES if time_s > last_s else 0):
                middle_s = (last_s + time_s) / 2
                last_s, time_s = (last_s, middle_s) if enough(middle_s) else (middle_s, time_s)
            return time_s
        return None

    def _fill(self, shown: Shown, states: list[tuple[frozenset[int], float]]) -> None:
        """Draws and judges what is not known yet; scenes are put together one after the other."""
        todo = [state for state in dict.fromkeys(states) if (shown.name, *state) not in self._verdicts]
        with ThreadPoolExecutor(self._jobs) as pool:
            for start in range(0, len(todo), 2 * self._jobs):
                batch = todo[start : start + 2 * self._jobs]
                scenes = [shown.gaussians(ids) if ids else None for ids, _ in batch]
                moments = [time_s for _, time_s in batch]
                for state, verdict in zip(batch, pool.map(self._verdict, scenes, moments), strict=True):
                    self._verdicts[shown.name, *state] = verdict

    def _verdict(self, gaussians: Gaussians | None, time_s: float) -> Verdict:
        truth = self._truth(time_s)
        if gaussians is None:
            color, alpha = np.zeros_like(truth.color), np.zeros_like(truth.alpha)
        else:
            drawn = self._rasterizer.render(gaussians, [self._camera_at(time_s)])
            color, alpha = drawn.color[0], drawn.alpha[0]
        missing = truth.alpha - alpha > MISSING
        near = float(missing[truth.near].mean()) if truth.near.any() else 0.0
        return Verdict(
            psnr(truth.color, color), ssim(truth.color, color), float(missing.mean()), near,
            seen=float((truth.alpha > MISSING).mean()),
        )  # fmt: skip

    def _truth(self, time_s: float) -> _Truth:
        if time_s in self._truths:
            return self._truths[time_s]
        drawn = self._rasterizer.render(self._source, [self._camera_at(time_s)], depth=True)
        assert drawn.depth is not None
        near = (drawn.alpha[0] > MISSING) & (drawn.depth[0] <= self._near_units)
        truth = _Truth(drawn.color[0], drawn.alpha[0], near)
        size = truth.color.nbytes + truth.alpha.nbytes + truth.near.nbytes
        with self._lock:
            if time_s not in self._truths and self._kept_bytes + size <= KEPT_BYTES:
                self._truths[time_s] = truth
                self._kept_bytes += size
        return truth

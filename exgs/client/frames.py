"""The frame loop: a picture for every tick, from the newest pose and the newest snapshot.

It runs in a thread of its own and takes both by reading one attribute, so it never waits for the network, the
decoder or a lock. Ticks stand on a fixed schedule. A picture that takes longer than a tick is late; the ticks
it ran over are dropped (the picture before stays on display), and the next one is taken from the schedule as
it was, so nothing drifts.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from exgs.client.clock import Clock
from exgs.client.fading import Fader
from exgs.client.pacing import Pacer, Resting
from exgs.client.poses import PoseSource
from exgs.client.presenters import Presenter
from exgs.client.snapshots import Latest, Snapshot, visible_splats
from exgs.client.statistics import FrameRecord, stages_ms
from exgs.painter import Restorer, draw
from exgs.raster import Rasterizer
from exgs.scene import Camera

GRACE = 0.25
"""Share of a tick by which a picture may be late and still leave the next tick time to be drawn."""


@dataclass(frozen=True)
class Schedule:
    """When ticks are due."""

    start_s: float
    """Time of tick 0, on the loop's clock."""
    fps: float
    """Ticks per second."""
    ticks: int
    """How many there are."""

    def due_s(self, tick: int) -> float:
        """When ``tick`` is due; it is over when the next one is due."""
        return self.start_s + tick / self.fps

    def tick_at(self, time_s: float) -> int:
        """The tick under way at ``time_s``, with ``GRACE`` for one that has just begun."""
        return max(0, math.floor((time_s - self.start_s) * self.fps - GRACE))


@dataclass(frozen=True, eq=False)
class Easel:
    """What draws a picture."""

    rasterizer: Rasterizer
    """Gaussians and cameras into pictures."""
    restorer: Restorer
    """Pictures into better ones."""
    presenter: Presenter
    """Where pictures go."""
    pacer: Pacer | None = None
    """Says when there is no time to restore; None where pictures are restored whatever it takes."""
    restorer_off: str = ""
    """Why nothing restores, where something was to if it could."""

    def at_hand(self, *, first: bool) -> Restorer:
        """What the next picture is restored by; the ``first`` of all waits for nothing that it can lack."""
        return Resting() if self.pacer is not None and (first or self.pacer.resting) else self.restorer


class FrameLoop:
    """Draws until the schedule ends or ``stop`` is called. ``run`` is the body of its thread."""

    def __init__(
        self,
        poses: PoseSource,
        snapshots: Latest[Snapshot],
        easel: Easel,
        *,
        eyes: Callable[[np.ndarray], Sequence[Camera]],
        clock: Clock,
        on_frame: Callable[[FrameRecord], None],
    ) -> None:
        """``eyes`` gives the cameras for a pose [4,4], world from head; the thread calls ``on_frame``."""
        self._poses, self._snapshots, self._easel = poses, snapshots, easel
        self._eyes, self._clock, self._on_frame = eyes, clock, on_frame
        self._fader = Fader()
        self._stop = threading.Event()

    def stop(self) -> None:
        """Ends after the picture under way. Any thread may call it."""
        self._stop.set()

    def run(self, schedule: Schedule) -> None:
        """Draws every tick, then finishes the presenter; abandons it when anything fails.

        Raises:
            ClientError: the pictures cannot be written.
        """
        presenter = self._easel.presenter
        try:
            presenter.finish(self._draw_all(schedule))
        except BaseException:
            presenter.abandon()
            raise

    def _draw_all(self, schedule: Schedule) -> int:
        """Draws until the end and gives the number of ticks gone by."""
        tick = 0
        while tick < schedule.ticks:
            self._clock.sleep_until(schedule.due_s(tick), self._stop)
            if self._stop.is_set():
                break
            record = self._draw(schedule, tick)
            self._on_frame(record)
            following = max(tick, schedule.tick_at(self._clock.now())) + 1
            for missed in range(tick + 1, min(following, schedule.ticks)):
                self._on_frame(_dropped(record, missed, schedule))
            tick = min(following, schedule.ticks)
        return tick

    def _draw(self, schedule: Schedule, tick: int) -> FrameRecord:
        easel, now = self._easel, self._clock.now
        began_s = now()
        pose = self._poses.pose_at(began_s - schedule.start_s)
        sampled_s = now()
        cameras = self._eyes(pose)
        snapshot = self._newest()
        gaussians = self._fader.at(snapshot, began_s)
        chosen_s = now()
        restorer = easel.at_hand(first=tick == 0)
        pictures = draw(easel.rasterizer, restorer, gaussians, cameras)
        rastered_s = now()
        restored = restorer.restore(pictures)
        restored_s = now()
        on_display = min(max(tick, schedule.tick_at(restored_s)), schedule.ticks - 1)
        easel.presenter.present(restored.color, on_display)
        shown_s = now()
        if easel.pacer is not None:
            easel.pacer.note(shown_s - began_s, restored=restored.asked)
        stages = stages_ms(
            pose_sample=sampled_s - began_s,
            queue=chosen_s - sampled_s,
            sort_and_raster=rastered_s - chosen_s,
            restore=restored_s - rastered_s,
            present=shown_s - restored_s,
        )
        return replace(
            _record(snapshot, visible_splats(snapshot.gaussians, cameras)),
            tick=tick,
            due_s=schedule.due_s(tick) - schedule.start_s,
            stages_ms=stages,
            restoration=restored.verdict,
            late=shown_s > schedule.due_s(tick + 1),
            stale=self._newest().number != snapshot.number,
        )

    def _newest(self) -> Snapshot:
        snapshot = self._snapshots.get()
        if snapshot is None:
            raise RuntimeError("the frame loop was started before there was anything to show")
        return snapshot


def _record(snapshot: Snapshot, visible: int) -> FrameRecord:
    return FrameRecord(
        tick=0,
        due_s=0.0,
        stages_ms=stages_ms(),
        splats_resident=snapshot.splats_resident,
        splats_visible=visible,
        splats_drawn=snapshot.splats,
        chunks_by_level=snapshot.chunks_by_level,
        bytes_received=snapshot.bytes_received,
    )


def _dropped(shown: FrameRecord, tick: int, schedule: Schedule) -> FrameRecord:
    """The record of a tick that went by while ``shown`` was being drawn, and which that one stood in for."""
    due_s = schedule.due_s(tick) - schedule.start_s
    return replace(
        shown, tick=tick, due_s=due_s, stages_ms=stages_ms(), late=False, stale=False, dropped=True,
        restoration=None,
    )  # fmt: skip

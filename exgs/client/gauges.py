"""Reads off every part of a session where it stands."""

from __future__ import annotations

from dataclasses import replace

from exgs.client.clock import Clock
from exgs.client.decoding import DecodeWorker
from exgs.client.errors import quoted
from exgs.client.levels import LevelMap
from exgs.client.lifeline import Lifeline
from exgs.client.opening import OpenedScene
from exgs.client.progress import Teller
from exgs.client.receiving import Reception
from exgs.client.recording import Recorder
from exgs.client.status import LinkMeter, LinkShare, State, Status
from exgs.protocol import SCENE_CHANNELS
from exgs.protocol import State as ConnectionState

NEAR_BUDGET = 0.9
"""Above this share of the splats that may be held little has room: a sixteenth is let go at once."""


class Gauges:
    """Of one session. Lives on the event loop."""

    def __init__(
        self, scene: OpenedScene, line: Lifeline, reception: Reception, worker: DecodeWorker,
        recorder: Recorder, *, teller: Teller, clock: Clock,
    ) -> None:  # fmt: skip
        self._scene, self._line, self._reception = scene, line, reception
        self._worker, self._recorder = worker, recorder
        self._teller, self._clock = teller, clock
        self._levels, self._meter = LevelMap(scene.preamble), LinkMeter()

    def read(self) -> Status:
        """Where the session stands now; each of its parts fills in what it knows."""
        last = self._recorder.last
        status = Status(
            at_s=self._teller.since_offer_s(self._clock.now()) or 0.0,
            scene=quoted(self._scene.name),
            state=self._state(),
            limiter=self._limiter(last.splats_resident if last else 0),
        )
        for told in (self._milestones, self._path, self._arrived, self._shown):
            status = told(status)
        return status

    def _milestones(self, status: Status) -> Status:
        first, since_offer_s = self._teller.first_s, self._teller.since_offer_s
        return replace(
            status,
            answered_s=first.get("answered"),
            connected_s=first.get("opened"),
            manifest_s=first.get("manifest"),
            first_chunk_s=since_offer_s(self._reception.first_chunk_s),
            first_frame_s=since_offer_s(self._recorder.first_frame_s),
            complete_s=since_offer_s(self._worker.completed_s),
        )

    def _path(self, status: Status) -> Status:
        line, path = self._line, self._line.path
        return replace(
            status,
            carrier=line.carrier,
            reconnects=line.reconnects,
            redundant_bytes=path.repeated_bytes,
            goodput_bytes_per_s=line.delivered_bytes_per_s,
            rtt_ms=None if path.rtt_s is None else 1000 * path.rtt_s,
            jitter_ms=1000 * path.jitter_s,
            loss=path.loss,
            links=path.links,
            connections=self._connections(),
            splats_budget=line.max_splats,
        )

    def _arrived(self, status: Status) -> Status:
        held = self._worker.held()
        return replace(
            status,
            bytes_received=self._reception.bytes_received,
            bytes_expected=self._scene.preamble.file_bytes,
            levels=self._levels.of(held),
            chunks=int(held.sum()),
            chunks_expected=len(held),
            chunks_corrupt=self._worker.corrupt,
            decode_waiting_bytes=self._worker.waiting_bytes,
        )

    def _shown(self, status: Status) -> Status:
        tally, last = self._recorder.tally, self._recorder.last
        p50, p95 = tally.recent_ms()
        status = replace(
            status,
            frames_shown=tally.shown,
            frames_late=tally.late,
            frames_stale=tally.stale,
            frames_dropped=tally.dropped,
            frame_ms_p50=p50,
            frame_ms_p95=p95,
            restorer=self._recorder.restorer,
            frames_restored=tally.restored,
        )
        if last is None:
            return status
        return replace(
            status,
            splats=last.splats_drawn,
            splats_visible=last.splats_visible,
            splats_resident=last.splats_resident,
            restoration=self._recorder.restoration,
        )

    def _state(self) -> State:
        if self._reception.lost is not None:
            return "lost"
        if self._reception.leaving:
            return "ended"
        if not self._line.greeted:
            return "connecting"
        if self._line.state is not ConnectionState.OPEN:
            return "reconnecting"
        return "silent" if self._reception.silent else "open"

    def _limiter(self, resident: int) -> str:
        """What holds the scene back, by what was received, by the connection and by the budget."""
        limiter, budget = self._reception.limiter, self._line.max_splats
        if limiter != "complete" and self._state() in ("silent", "reconnecting", "lost"):
            return "silence"
        return "budget" if limiter == "link" and budget and resident > NEAR_BUDGET * budget else limiter

    def _connections(self) -> tuple[LinkShare, ...]:
        received = self._line.bytes_received
        return self._meter.note(self._clock.now(), tuple(received[channel] for channel in SCENE_CHANNELS))

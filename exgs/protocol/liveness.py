"""Signs of life: when to beat, how long the round trip is, whether the peer is still there."""

from __future__ import annotations

from collections import deque

from exgs.protocol.config import ConnectionConfig
from exgs.protocol.messages import Beat
from exgs.protocol.recent import Recent

_OWN_PAUSE_S = 1.0
_LOSS_BEATS = 256
_MODULUS = 1 << 32
_QUIET_S = 15.0


class Liveness:
    """Beats of one end, from the opening of the session on.

    A reliable message that is lost alone waits for the transport's slowest timer; with other traffic behind
    it, the loss is seen at once. So while a control message is not acknowledged, beats follow quickly.
    """

    def __init__(self, config: ConnectionConfig, now_s: float) -> None:
        self.rtt_s: float | None = None
        """Smoothed round trip; None before the first echo."""
        self.jitter_s = 0.0
        """Smoothed difference between one round trip and the next."""
        self.paused = False
        """Whether the peer was silent for so long that bulk pauses."""
        self._config = config
        self._started_s = now_s
        self._quiet = Recent(min, _QUIET_S, now_s)
        self._heard_s = now_s
        self._checked_s = now_s
        self._beat_s = now_s - config.beat_s
        self._echo: tuple[int, float] | None = None
        self._sample_s: float | None = None
        self._said = 0
        self._beats: deque[int] = deque(maxlen=_LOSS_BEATS)
        self._control_said = 0
        self._control_confirmed = 0
        self._control_heard = 0
        self._control_reported = 0

    def greeted(self, now_s: float) -> None:
        """The answer to this side's greeting came: a round trip from before there is any traffic."""
        self._quiet = Recent(min, _QUIET_S, now_s)
        self._quiet.add(now_s - self._started_s, now_s)

    def heard(self, now_s: float) -> None:
        """Something came from the peer."""
        self._heard_s = max(self._heard_s, now_s)

    def control_said(self) -> None:
        """A control message leaves."""
        self._control_said = (self._control_said + 1) % _MODULUS

    def control_heard(self) -> None:
        """A control message arrived."""
        self._control_heard = (self._control_heard + 1) % _MODULUS

    def beat_heard(self, beat: Beat, now_s: float) -> None:
        """The peer's beat: a round trip where it echoes one of ours, and what it heard of our control."""
        self._echo = (beat.sent_us, now_s)
        if (beat.control_heard - self._control_confirmed) % _MODULUS < _MODULUS // 2:
            self._control_confirmed = beat.control_heard
        sample = now_s - (beat.echo_us + beat.held_us) / 1e6
        if beat.echo_us and 0 <= sample < self._config.silent_timeout_s:
            self._measure(sample, now_s)
        if not self._beats or 0 < (beat.said - self._beats[-1]) % _MODULUS < _MODULUS // 2:
            self._beats.append(beat.said)

    @property
    def quietest_s(self) -> float | None:
        """Quickest round trip of the last 15 to 30 s; None before the first."""
        return self._quiet.value

    @property
    def loss(self) -> float:
        """Share of the peer's newest beats that did not arrive."""
        heard = len(self._beats) - 1
        if heard < 1:
            return 0.0
        said = max((self._beats[-1] - self._beats[0]) % _MODULUS, heard)
        return 1 - heard / said

    def _measure(self, sample: float, now_s: float) -> None:
        if self._sample_s is not None:
            self.jitter_s += (abs(sample - self._sample_s) - self.jitter_s) / 16
        self._sample_s = sample
        self._quiet.add(sample, now_s)
        self.rtt_s = sample if self.rtt_s is None else self.rtt_s + (sample - self.rtt_s) / 8

    def silent_s(self, now_s: float) -> float:
        """For how long the peer has been silent while this side was awake to hear it."""
        asleep_s = now_s - self._checked_s - _OWN_PAUSE_S
        if asleep_s > 0:
            self._heard_s = min(self._heard_s + asleep_s, now_s)
        self._checked_s = now_s
        return now_s - self._heard_s

    def due_s(self) -> float:
        """When the next beat is due."""
        return self._beat_s + (self._config.busy_beat_s if self._busy() else self._config.beat_s)

    def deadline_s(self) -> float:
        """When something is to be done: a beat, or the end of patience."""
        patience = self._config.silent_timeout_s if self.paused else self._config.pause_after_s
        return min(self.due_s(), self._heard_s + patience)

    def beat(self, now_s: float) -> Beat:
        """The next beat, said now."""
        self._beat_s = now_s
        self._control_reported = self._control_heard
        self._said = (self._said + 1) % _MODULUS
        sent_us = max(1, int(now_s * 1e6))
        if self._echo is None:
            return Beat(sent_us, control_heard=self._control_heard, said=self._said)
        echo_us, at_s = self._echo
        held_us = min(max(0, int((now_s - at_s) * 1e6)), _MODULUS - 1)
        return Beat(sent_us, echo_us, held_us, self._control_heard, self._said)

    def _busy(self) -> bool:
        return self._control_said != self._control_confirmed or self._control_heard != self._control_reported

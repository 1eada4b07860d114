"""How much may be under way, and how fast it arrives."""

from __future__ import annotations

from collections import deque

from exgs.protocol.config import ConnectionConfig
from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.vocabulary import CloseCode


class RateMeter:
    """Bytes per second, over the last second or as long as it is told, of a count that only grows."""

    def __init__(self, window_s: float = 1.0) -> None:
        self._window_s = window_s
        self._samples: deque[tuple[float, int]] = deque()

    def add(self, total_bytes: int, now_s: float) -> None:
        """The count stands at ``total_bytes``."""
        self._samples.append((now_s, total_bytes))
        while len(self._samples) > 2 and self._samples[1][0] < now_s - self._window_s:
            self._samples.popleft()

    def rate(self, now_s: float) -> float:
        """Bytes per second up to ``now_s``."""
        if len(self._samples) < 2 or self._samples[-1][0] < now_s - self._window_s:
            return 0.0
        (first_s, first_bytes), (last_s, last_bytes) = self._samples[0], self._samples[-1]
        return (last_bytes - first_bytes) / max(last_s - first_s, 0.02)


class Credit:
    """The server's account of scene bytes: sent, taken by the client, and allowed to be between the two."""

    def __init__(self, config: ConnectionConfig) -> None:
        self.sent_bytes = 0
        """Handed to the transport since the session began."""
        self.taken_bytes = 0
        """Of these, what the client's receipts say it has taken."""
        self._lost_bytes = 0
        self._config = config
        self._meter = RateMeter()

    def receipt(self, taken_bytes: int, now_s: float) -> None:
        """The client's count.

        Raises:
            RemoteProtocolError: it shrank, or is more than was sent.
        """
        if not self.taken_bytes <= taken_bytes <= self.sent_bytes:
            raise RemoteProtocolError(
                f"receipt for {taken_bytes} bytes after {self.taken_bytes}, with {self.sent_bytes} sent",
                close_code=CloseCode.VIOLATION,
            )
        self.taken_bytes = taken_bytes
        self._meter.add(taken_bytes, now_s)

    def lost(self, size_bytes: int) -> None:
        """So much was under way on a link that is gone; negative where some of it arrived after all."""
        self._lost_bytes += size_bytes

    def rate(self, now_s: float) -> float:
        """Delivered bytes per second."""
        return self._meter.rate(now_s)

    def window(self, rtt_s: float | None, now_s: float) -> int:
        """How many bytes may be sent and not taken: twice what the link holds, within the bounds."""
        twice = 2 * self.rate(now_s) * (rtt_s or 0.0)
        return int(min(max(self._config.min_credit_bytes, twice), self._config.max_credit_bytes))

    @property
    def open_bytes(self) -> int:
        """Sent, not lost and not yet taken."""
        return max(0, self.sent_bytes - self._lost_bytes - self.taken_bytes)

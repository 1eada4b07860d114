"""How much may be under way on one scene channel.

More than a link carries in one round trip only stands in the queue before it and overflows it: the window
of the transport below grows until that happens, and recovers slowly. So a channel has a window of its own:
three quarters more than the best rate of late brings in the quietest round trip and the time between two
receipts. The best rate and not the newest: a window that follows a rate which follows the window would
shrink with every delay that is no fault of the link. Source: congestion control by bottleneck bandwidth and
round trip (BBR, Cardwell et al., ACM Queue 2016).
"""

from __future__ import annotations

from exgs.protocol.credit import RateMeter
from exgs.protocol.recent import Recent

_GAIN = 1.75
"""Room for a rate to grow: what it had was perhaps all that was asked of the link."""
_METER_S = 0.25
_BEST_RATE_S = 1.5


class Window:
    """Follows what receipts say of one channel."""

    def __init__(self, least_bytes: int) -> None:
        self.bytes = least_bytes
        """So much may be under way."""
        self._least = least_bytes
        self._meter = RateMeter(_METER_S)
        self._best = Recent(max, _BEST_RATE_S)

    def arrived(self, total_bytes: int, now_s: float, *, trip_s: float) -> None:
        """A receipt counts ``total_bytes``; ``trip_s`` from a fragment to its receipt, where no queue is."""
        self._meter.add(total_bytes, now_s)
        self._best.add(self._meter.rate(now_s), now_s)
        self.bytes = max(self._least, int(_GAIN * (self._best.value or 0.0) * trip_s))

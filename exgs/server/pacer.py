"""Holds a sender to a rate, without a clock of its own."""

from __future__ import annotations

MAX_DEBT_S = 5.0
"""A pause is never longer than this, whatever the rate was when the bytes were sent."""


class Pacer:
    """After each spending there is a pause as long as the bytes take at the rate."""

    def __init__(self) -> None:
        self._free_at_s = 0.0

    def spend(self, size_bytes: int, bytes_per_s: int, now_s: float) -> None:
        """Notes bytes sent; a rate of 0 knows no bound."""
        if bytes_per_s:
            start_s = max(now_s, self._free_at_s)
            self._free_at_s = min(start_s + size_bytes / bytes_per_s, now_s + MAX_DEBT_S)
        else:
            self._free_at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """How long to wait before sending more; 0 or less for not at all."""
        return self._free_at_s - now_s

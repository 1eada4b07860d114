"""The least or largest of what was measured lately."""

from __future__ import annotations

from collections.abc import Callable


class Recent:
    """Keeps an extreme for ``span_s`` at least and twice as long at most: ways change."""

    def __init__(self, choose: Callable[[float, float], float], span_s: float, now_s: float = 0.0) -> None:
        """``choose`` is ``min`` or ``max``."""
        self._choose, self._span_s, self._since_s = choose, span_s, now_s
        self._before: float | None = None
        self._newest: float | None = None

    def add(self, value: float, now_s: float) -> None:
        """One more measurement."""
        if now_s - self._since_s > self._span_s:
            self._before, self._newest, self._since_s = self._newest, None, now_s
        self._newest = value if self._newest is None else self._choose(value, self._newest)

    @property
    def value(self) -> float | None:
        """The extreme; None before the first measurement."""
        if self._before is None or self._newest is None:
            return self._newest if self._before is None else self._before
        return self._choose(self._before, self._newest)

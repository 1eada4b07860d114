"""Whether there is time to restore: goes by what frames cost, with and without."""

from __future__ import annotations

from collections import deque
from statistics import median

import numpy as np

from exgs.painter import Pictures, Restored

WINDOW = 8
"""Frames that are looked at together."""
MISSES = 5
"""Of these, how many may not be over budget."""
FAR_OVER = 2.0
"""Two frames in a row over this many budgets are enough."""
HEADROOM = 0.85
"""Restoring begins again where a frame with it should take no more than this share of the budget."""
PAUSE_S = 1.0
"""First rest; each one that was of no avail is followed by one twice as long."""
MAX_PAUSE_S = 32.0
FADING = 0.7
"""What restoring costs is believed a little less after each rest, for the machine may have been busy."""


class Resting:
    """Stands in for a restorer that there is no time for."""

    name = "resting"

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        """Never."""
        return False

    def restore(self, pictures: Pictures) -> Restored:
        """The very colours, not a copy."""
        return Restored(pictures.color, "budget")

    def forget(self) -> None:
        """Knows nothing."""


class Pacer:
    """Drops restoring when frames with it miss their budget, and takes it up again when there is room."""

    def __init__(self, budget_s: float) -> None:
        """``budget_s`` is the time of a tick."""
        self.resting = False
        """Whether there is no time to restore."""
        self._budget_s = budget_s
        self._first_pause = self._pause = max(1, round(PAUSE_S / budget_s))
        self._most_pause = max(1, round(MAX_PAUSE_S / budget_s))
        self._with: deque[float] = deque(maxlen=WINDOW)
        self._without: deque[float] = deque(maxlen=WINDOW)
        self._cost_s = 0.0
        self._since = 2 * self._pause

    def note(self, frame_s: float, *, restored: bool) -> None:
        """Takes a frame into account: what it cost from pose to display, and whether it was restored."""
        self._since += 1
        if self.resting:
            self._without.append(frame_s)
            self._look_for_room()
        elif restored:
            self._with.append(frame_s)
            self._look_for_misses()

    def _look_for_misses(self) -> None:
        over = [frame_s > self._budget_s for frame_s in self._with]
        last = list(self._with)[-2:]
        if sum(over) >= MISSES or (len(last) == 2 and min(last) > FAR_OVER * self._budget_s):
            soon = self._since < 2 * self._pause
            self._pause = min(2 * self._pause, self._most_pause) if soon else self._first_pause
            self._turn(resting=True)

    def _look_for_room(self) -> None:
        if self._since == WINDOW and self._with:
            self._cost_s = max(0.0, median(self._with) - median(self._without))
        if self._since < max(WINDOW, self._pause):
            return
        if median(self._without) + self._cost_s <= HEADROOM * self._budget_s:
            self._with.clear()
            self._turn(resting=False)
        elif self._since % self._pause == 0:
            self._cost_s *= FADING

    def _turn(self, *, resting: bool) -> None:
        self.resting, self._since = resting, 0
        self._without.clear()

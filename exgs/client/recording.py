"""Takes down every frame: for the summary, and for the CSV file where one is wanted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from exgs.client.clock import Clock
from exgs.client.errors import ClientError
from exgs.client.statistics import FrameLog, FrameRecord, FrameTally
from exgs.painter import Verdict


class Recorder:
    """Fed by the frame loop's thread, read by the session's: it swaps whole values only."""

    def __init__(self, clock: Clock, *, on_first: Callable[[], None], restorer: str = "off") -> None:
        """``on_first`` is called once, in the frame loop's thread, when the first picture was shown."""
        self.restorer = restorer
        """What restores frames."""
        self.tally = FrameTally()
        """Counts and times of all frames."""
        self.first_frame_s: float | None = None
        """When the first picture was shown, on the clock; None before."""
        self.last: FrameRecord | None = None
        """The newest frame."""
        self.restoration: Verdict = "off"
        """What was done with the newest picture, which stays on display while ticks are dropped."""
        self._clock, self._on_first = clock, on_first
        self._log: FrameLog | None = None

    @contextmanager
    def logging(self, path: Path | None, *, levels: int) -> Iterator[None]:
        """Writes frames to ``path`` as well, and puts the file in place at the end.

        Raises:
            ClientError: the file cannot be written.
        """
        if path is None:
            yield
            return
        self._log = FrameLog(path, levels)
        try:
            yield
        except ClientError:
            self._log.abandon()
            raise
        except BaseException:
            self._log.finish()
            raise
        self._log.finish()

    def add(self, record: FrameRecord) -> None:
        """Takes down one tick.

        Raises:
            ClientError: the CSV file cannot be written.
        """
        if self.first_frame_s is None and not record.dropped:
            self.first_frame_s = self._clock.now()
            self._on_first()
        self.tally.add(record)
        self.last, self.restoration = record, record.restoration or self.restoration
        if self._log is not None:
            self._log.add(record)

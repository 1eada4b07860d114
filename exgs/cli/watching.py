"""What a person sees of a scene that plays: a dashboard on a terminal, plain lines elsewhere, the sum."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live

from exgs.cli import left_alone
from exgs.cli.dashboard import STAGES, Dashboard, Glance, mbit
from exgs.cli.terminal import size
from exgs.client.progress import Listener, Milestone
from exgs.client.statistics import PlaySummary
from exgs.client.status import Status

KEPT_SECONDS = 120
"""Rates kept for the sparkline."""
LASTING = ("corrupt", "silent", "reconnecting", "reconnected", "lost")
"""Kinds of milestones whose lines stay on the terminal when the dashboard is gone; of several in a row the
first, but for corrupt chunks."""


@contextmanager
def listening(*, quiet: bool, dashboard: bool = True) -> Iterator[Listener | None]:
    """A listener that prints to standard error, while the context lasts; None where ``quiet``.

    A terminal that cannot move its cursor, like whatever is none, gets plain lines.
    """
    console = Console(stderr=True)
    if quiet:
        yield None
    elif dashboard and sys.stderr.isatty() and not console.is_dumb_terminal:
        with Live(console=console, auto_refresh=False, transient=True) as live:
            yield Watch(console, live).hear
    else:
        yield _say


class Watch:
    """Keeps the dashboard up to date as news come."""

    def __init__(self, console: Console, live: Live) -> None:
        self._console, self._live = console, live
        self._status: Status | None = None
        self._headline = ""
        self._reached_s: dict[str, float] = {}
        self._rates: deque[float] = deque(maxlen=KEPT_SECONDS)
        self._second = -1
        self._lasting = ""

    @property
    def glance(self) -> Glance:
        """What there is to show now."""
        return Glance(self._status, self._headline, dict(self._reached_s), tuple(self._rates))

    def hear(self, news: Milestone | Status) -> None:
        """Takes news and draws."""
        if isinstance(news, Milestone):
            self._note(news)
        else:
            self._status = news
            if int(news.at_s) > self._second:
                self._second = int(news.at_s)
                self._rates.append(news.goodput_bytes_per_s)
        self._live.update(Dashboard(self.glance), refresh=True)

    def _note(self, milestone: Milestone) -> None:
        self._headline = milestone.text
        if milestone.at_s is not None and milestone.kind in STAGES:
            self._reached_s.setdefault(milestone.kind, milestone.at_s)
        if milestone.kind in LASTING and (milestone.kind != self._lasting or milestone.kind == "corrupt"):
            self._console.print(line(milestone), highlight=False, markup=False)
            self._lasting = milestone.kind


def _say(news: Milestone | Status) -> None:
    if isinstance(news, Milestone):
        print(line(news), file=sys.stderr, flush=True)


def line(milestone: Milestone) -> str:
    """A milestone with its time since the offer."""
    return milestone.text if milestone.at_s is None else f"{milestone.at_s:7.2f} s  {milestone.text}"


def rows(summary: PlaySummary) -> list[tuple[str, str]]:
    """What a session came to, as names and values."""
    s = summary
    state = "complete" if s.complete else f"{s.chunks} of them here"
    corrupt = f", {s.chunks_corrupt} corrupt" if s.chunks_corrupt else ""
    found = [
        ("scene", f"{s.scene}, {s.chunks_expected} chunks, {size(s.bytes_expected)}: {state}{corrupt}"),
        ("received", f"{size(s.bytes_received)} at {mbit(s.goodput_bytes_per_s)}{_way(s)}"),
        ("first frame", f"{_seconds(s.first_frame_s)} after the offer, complete {_seconds(s.complete_s)}"),
        (
            "frames",
            f"{s.frames_shown} shown of {s.frames_due} due, of them {s.frames_late} late and "
            f"{s.frames_stale} stale; {s.frames_dropped} dropped",
        ),
        (
            "frame time",
            f"{s.frame_ms_p50:.1f} / {s.frame_ms_p95:.1f} / {s.frame_ms_p99:.1f} ms (p50 / p95 / p99) "
            f"of {s.frame_budget_ms:.1f} ms there are, "
            f"{s.splats:,} splats at the end",
        ),
    ]
    if s.restorer != "off":
        found.append(("restored", f"{s.frames_restored} frames by {s.restorer}{_left_alone(s)}"))
    return [*found, ("written", ", ".join(s.outputs))] if s.outputs else found


def _way(summary: PlaySummary) -> str:
    """What carried the session, and how far it was."""
    carrier = f" over {summary.carrier}" if summary.carrier else ""
    rtt = "" if summary.rtt_ms is None else f", round trip {summary.rtt_ms:.1f} ms"
    again = f", reconnected {summary.reconnects}x" if summary.reconnects else ""
    return f"{carrier}{rtt}{again}"


def _left_alone(summary: PlaySummary) -> str:
    """Frames that were not restored, and why."""
    s = summary
    counts = {"rich": s.frames_rich, "whole": s.frames_whole, "unsure": s.frames_unsure}
    hurried = s.frames_shown - s.frames_restored - sum(counts.values())
    return left_alone.told({**counts, "budget": hurried})


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"

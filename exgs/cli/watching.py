"""What a person sees of a scene that plays: a live line on a terminal, plain lines elsewhere, the sum."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.text import Text

from exgs.cli.terminal import size
from exgs.client.progress import Listener, Milestone
from exgs.client.statistics import PlaySummary
from exgs.client.status import Status

LIVE_UPDATES_HZ = 4


@contextmanager
def listening(*, quiet: bool) -> Iterator[Listener | None]:
    """A listener that prints to standard error, while the context lasts; None where ``quiet``."""
    console = Console(stderr=True)
    if quiet:
        yield None
    elif not console.is_terminal:
        yield (
            lambda news: (
                print(line(news), file=sys.stderr, flush=True) if isinstance(news, Milestone) else None
            )
        )
    else:
        with Live(console=console, refresh_per_second=LIVE_UPDATES_HZ, transient=True) as live:

            def listen(news: Milestone | Status) -> None:
                if isinstance(news, Milestone):
                    console.print(line(news), highlight=False, markup=False)
                else:
                    live.update(Text(where(news), overflow="ellipsis", no_wrap=True))

            yield listen


def line(milestone: Milestone) -> str:
    """A milestone with its time since the offer."""
    return milestone.text if milestone.at_s is None else f"{milestone.at_s:7.2f} s  {milestone.text}"


def where(status: Status) -> str:
    """Where a session stands, in one line."""
    share = 100 * status.bytes_received / max(1, status.bytes_expected)
    rtt = "" if status.rtt_ms is None else f", {status.rtt_ms:.0f} ms away"
    rtt += f", {status.limiter}" if status.limiter else ""
    return (
        f"{status.at_s:7.2f} s  {size(status.bytes_received)} ({share:.0f} %) at "
        f"{size(status.goodput_bytes_per_s)}/s{rtt}; {status.splats:,} splats; {status.frames_shown} frames, "
        f"{status.frame_ms_p50:.1f} ms, {status.frames_late} late, {status.frames_dropped} dropped"
    )


def rows(summary: PlaySummary) -> list[tuple[str, str]]:
    """What a session came to, as names and values."""
    s = summary
    state = "complete" if s.complete else f"{s.chunks} of them here"
    corrupt = f", {s.chunks_corrupt} corrupt" if s.chunks_corrupt else ""
    rtt = "" if s.rtt_ms is None else f", round trip {s.rtt_ms:.1f} ms"
    found = [
        ("scene", f"{s.scene}, {s.chunks_expected} chunks, {size(s.bytes_expected)}: {state}{corrupt}"),
        ("received", f"{size(s.bytes_received)} at {size(s.goodput_bytes_per_s)}/s{rtt}"),
        ("first frame", f"{_seconds(s.first_frame_s)} after the offer, complete {_seconds(s.complete_s)}"),
        (
            "frames",
            f"{s.frames_shown} shown, of them {s.frames_late} late and {s.frames_stale} stale; "
            f"{s.frames_dropped} dropped",
        ),
        (
            "frame time",
            f"{s.frame_ms_p50:.1f} / {s.frame_ms_p95:.1f} / {s.frame_ms_p99:.1f} ms (p50 / p95 / p99), "
            f"{s.splats:,} splats at the end",
        ),
    ]
    return [*found, ("written", ", ".join(s.outputs))] if s.outputs else found


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"

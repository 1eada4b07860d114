"""A session at a glance, as text: a pure function from its figures to lines that fit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from exgs.cli.left_alone import REASONS
from exgs.cli.terminal import size
from exgs.client.levels import LevelShare
from exgs.client.status import Status

STAGES = {
    "answered": "answered",
    "opened": "connected",
    "first_chunk": "first chunk",
    "first_frame": "first frame",
    "complete": "complete",
}
"""The way to a whole scene: kinds of milestones, and what they are called here."""
HOLDS = {
    "link": "the link is the limit",
    "cpu": "this decoder is the limit",
    "cap": "--max-mbps is the limit",
    "budget": "--max-splats is the limit",
    "silence": "nothing is heard",
    "complete": "the scene is complete",
}
"""What each limiter is called here."""
STATE_STYLES = {
    "connecting": "yellow",
    "open": "green",
    "silent": "yellow",
    "reconnecting": "yellow",
    "lost": "red",
    "ended": "dim",
}
LABEL_WIDTH = 9
TAIL_WIDTH = 42
"""Room for what is said behind a bar."""
BAR_WIDTHS = (8, 40)
"""Of bars and sparklines, least and most."""


@dataclass(frozen=True)
class Glance:
    """What a dashboard shows."""

    status: Status | None = None
    """Where the session stands; None before the scene was opened."""
    headline: str = ""
    """The newest thing that happened."""
    reached_s: dict[str, float] = field(default_factory=dict)
    """When each of ``STAGES`` was reached, in seconds since the offer, by kind."""
    rates: tuple[float, ...] = ()
    """Bytes per second delivered, one for each second, the newest last."""


@dataclass(frozen=True)
class Dashboard:
    """Draws a glance as large as the terminal is."""

    glance: Glance
    """What to draw."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Lines; the last row of the terminal stays free for the cursor."""
        height = max(1, console.size.height - 1)
        yield from lines(self.glance, options.max_width, height, ascii_only=options.ascii_only)


def lines(glance: Glance, width: int, height: int, *, ascii_only: bool = False) -> list[Text]:
    """At most ``height`` lines of at most ``width`` columns; what matters least goes first."""
    status, pen = glance.status, _Pen(width, ascii_only)
    if status is None:
        rows = [(0, Text(glance.headline)), (1, _stages(glance, pen))]
    else:
        rows = [
            (0, _title(status, glance.headline)),
            (2, _stages(glance, pen)),
            (9, Text()),
            (1, _scene(status, pen)),
            (1, _rate(status, glance.rates, pen)),
            (4, _network(status, pen)),
            (8, _connections(status, pen)),
            *((5, row) for row in _levels(status.levels, pen)),
            (6, _splats(status, pen)),
            (3, _frames(status, pen)),
            (7, _restored(status, pen)),
        ]
    kept = [(rank, row) for rank, row in rows if row.plain or rank == 9]
    while len(kept) > height:
        kept.remove(max(kept, key=lambda ranked: ranked[0]))
    for _, row in kept:
        row.no_wrap, row.overflow = True, "crop" if ascii_only else "ellipsis"
        row.truncate(width, overflow=row.overflow)
    return [row for _, row in kept]


class _Pen:
    """Draws with what the terminal has."""

    def __init__(self, width: int, ascii_only: bool) -> None:
        least, most = BAR_WIDTHS
        self.bar_width = min(most, max(least, width - LABEL_WIDTH - TAIL_WIDTH))
        self.full, self.empty = ("#", "-") if ascii_only else ("━", "─")
        self.sparks = ".,:-=+*#" if ascii_only else "▁▂▃▄▅▆▇█"
        self.between, self.arrow = (", ", " > ") if ascii_only else (" · ", " › ")

    def labelled(self, label: str, *parts: str | tuple[str, str]) -> Text:
        return Text.assemble((f"{label:<{LABEL_WIDTH}}", "dim"), *parts)

    def bar(self, share: float) -> tuple[tuple[str, str], tuple[str, str]]:
        """Full where ``share`` is 1, and only there."""
        done = int(self.bar_width * min(max(share, 0.0), 1.0))
        return (self.full * done, "cyan"), (self.empty * (self.bar_width - done), "dim")

    def sparkline(self, values: Sequence[float]) -> tuple[str, str]:
        """The newest values, against the largest of them; blanks where there are none yet."""
        newest = values[-self.bar_width :]
        most, last = max(newest, default=0.0), len(self.sparks) - 1
        drawn = "".join(self.sparks[round(last * value / most) if most > 0 else 0] for value in newest)
        return f"{drawn:<{self.bar_width}}", "cyan"

    def listed(self, parts: Sequence[str]) -> str:
        return self.between.join(part for part in parts if part)


def _title(status: Status, headline: str) -> Text:
    if status.state in ("connecting", "reconnecting", "lost"):
        told = Text.assemble((status.scene, "bold"), "  ", (status.state, STATE_STYLES[status.state]))
        return told.append(f"  {headline}")
    others = f", {status.links} more for the scene" if status.links else ""
    again = f", made again {status.reconnects} times" if status.reconnects > 1 else ""
    again = ", made again once" if status.reconnects == 1 else again
    state = f"{status.state} over {status.carrier}{others}{again}"
    return Text.assemble((status.scene, "bold"), "  ", (state, STATE_STYLES[status.state]))


def _stages(glance: Glance, pen: _Pen) -> Text:
    said = Text()
    reached_s = glance.reached_s | _measured_s(glance.status)
    for kind in sorted(STAGES, key=lambda kind: reached_s.get(kind, float("inf"))):
        if said:
            said.append(pen.arrow, "dim")
        if kind in reached_s:
            said.append(f"{STAGES[kind]} {reached_s[kind]:.2f} s")
        else:
            said.append(STAGES[kind], "dim")
    return said


def _measured_s(status: Status | None) -> dict[str, float]:
    """Stages that were timed where they happened, which is a little before they are told."""
    if status is None:
        return {}
    first_s = {
        "first_chunk": status.first_chunk_s,
        "first_frame": status.first_frame_s,
        "complete": status.complete_s,
    }
    return {kind: at_s for kind, at_s in first_s.items() if at_s is not None}


def _scene(status: Status, pen: _Pen) -> Text:
    share = status.bytes_received / max(1, status.bytes_expected)
    corrupt = f"{status.chunks_corrupt} chunks corrupt" if status.chunks_corrupt else ""
    waiting = status.decode_waiting_bytes
    queue = f"{size(waiting)} to decode" if waiting else ""
    amount = f"{100 * share:3.0f} %  {size(status.bytes_received)} of {size(status.bytes_expected)}"
    return pen.labelled("received", *pen.bar(share), "  ", pen.listed((amount, queue, corrupt)))


def _rate(status: Status, rates: Sequence[float], pen: _Pen) -> Text:
    held = HOLDS.get(status.limiter, status.limiter)
    rate = mbit(status.goodput_bytes_per_s)
    return pen.labelled("rate", pen.sparkline(rates), "  ", (rate, "bold"), pen.between, held)


def _network(status: Status, pen: _Pen) -> Text:
    rtt = "not measured yet" if status.rtt_ms is None else f"{status.rtt_ms:.1f} ms"
    twice = f"{size(status.redundant_bytes)} came twice" if status.redundant_bytes else ""
    path = (
        f"round trip {rtt}",
        f"jitter {status.jitter_ms:.1f} ms",
        f"loss {100 * status.loss:.1f} %",
        twice,
    )
    return pen.labelled("network", pen.listed(path))


def _connections(status: Status, pen: _Pen) -> Text:
    """Nothing where there is but one, whose rate is that of all."""
    if len(status.connections) < 2:
        return Text()
    shares = (f"{share.link}: {mbit(share.bytes_per_s)}" for share in status.connections)
    return pen.labelled("links", pen.listed(tuple(shares)))


def _levels(levels: Sequence[LevelShare], pen: _Pen) -> list[Text]:
    """A row for each level, coarsest first as they come, with their numbers under each other."""
    digits = len(str(max((level.chunks_expected for level in levels), default=0)))
    splats = len(f"{max((level.splats_shown for level in levels), default=0):,}")

    def row(level: LevelShare) -> Text:
        chunks = f"{level.chunks:>{digits}} of {level.chunks_expected:>{digits}} chunks"
        shown = f"{level.splats_shown:>{splats},} splats shown" if level.splats_shown else ""
        bar = pen.bar(level.chunks / max(1, level.chunks_expected))
        return pen.labelled(f"level {level.level}", *bar, "  ", pen.listed((chunks, shown)))

    return [row(level) for level in reversed(levels)]


def _splats(status: Status, pen: _Pen) -> Text:
    budget = f" of at most {status.splats_budget:,}" if status.splats_budget else ""
    counts = (
        f"{status.splats:,} drawn",
        f"{status.splats_visible:,} in view",
        f"{status.splats_resident:,}{budget} held",
    )
    return pen.labelled("splats", pen.listed(counts))


def _frames(status: Status, pen: _Pen) -> Text:
    times = f"{status.frame_ms_p50:.1f} ms median", f"{status.frame_ms_p95:.1f} ms p95"
    counts = (
        f"{status.frames_shown:,} shown",
        f"{status.frames_late:,} late",
        f"{status.frames_dropped:,} dropped",
    )
    return pen.labelled("frames", pen.listed((*times, *counts)))


def _restored(status: Status, pen: _Pen) -> Text:
    """Nothing where nothing restores."""
    if status.restorer == "off":
        return Text()
    reason = REASONS.get(status.restoration)
    why = f"not now: {reason}" if reason else ""
    parts = (f"{status.frames_restored:,} of {status.frames_shown:,} by {status.restorer}", why)
    return pen.labelled("restored", pen.listed(parts))


def mbit(bytes_per_s: float) -> str:
    """A rate for a person: ``20.1 Mbit/s``."""
    rate = 8e-6 * bytes_per_s
    return f"{rate:.1f} Mbit/s" if rate < 1000 else f"{rate / 1000:.2f} Gbit/s"

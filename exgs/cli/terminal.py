"""What a person sees while work goes on: bars on a terminal, plain lines elsewhere; and what it cost."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress


@dataclass(frozen=True)
class Phase:
    """What one phase of a command cost."""

    name: str
    """What was done."""
    seconds: float
    """Wall-clock time."""
    peak_bytes: int
    """Largest resident memory of the process during the phase."""


class Reporter:
    """Shows phases on standard error and measures them. A context manager."""

    def __init__(self, *, quiet: bool = False) -> None:
        self.phases: list[Phase] = []
        self._quiet = quiet
        self._bars: Progress | None = None
        if not quiet and sys.stderr.isatty():
            self._bars = _bars()

    def __enter__(self) -> Reporter:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._bars.stop()

    @contextmanager
    def phase(self, name: str) -> Iterator[PhaseProgress]:
        """Measures and shows one phase; the value takes progress from 0 to 1."""
        task = self._bars.add_task(name, total=1.0, note="") if self._bars else None
        progress = PhaseProgress(self._bars, task)
        reset_peak_memory()
        start = time.perf_counter()
        yield progress
        phase = Phase(name, time.perf_counter() - start, peak_memory_bytes())
        self.phases.append(phase)
        progress.update(1.0)
        if not self._quiet and not self._bars:
            note = f"  {progress.note}" if progress.note else ""
            print(f"{name}: {phase.seconds:.2f} s, {size(phase.peak_bytes)} peak{note}", file=sys.stderr)

    def say(self, line: str) -> None:
        """One line for the person, beside the bars."""
        if not self._quiet:
            self.warn(line)

    def warn(self, line: str) -> None:
        """As ``say``, of what went wrong: told to who wants no progress too."""
        if self._bars:
            self._bars.console.print(line, highlight=False, markup=False)
        else:
            print(line, file=sys.stderr, flush=True)


def _bars() -> Progress:
    """A bar for each phase."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    return Progress(
        TextColumn("{task.description:<12}"), BarColumn(), TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(), console=Console(stderr=True), transient=False,
    )  # fmt: skip


class PhaseProgress:
    """How far a phase has come."""

    def __init__(self, bars: Progress | None, task: object) -> None:
        self._bars, self._task = bars, task
        self.note = ""

    def update(self, fraction: float, note: str | None = None) -> None:
        """Says that ``fraction`` of the phase, 0 to 1, is done."""
        if note is not None:
            self.note = note
        if self._bars:
            self._bars.update(self._task, completed=fraction, note=self.note)  # type: ignore[arg-type]


def reset_peak_memory() -> None:
    """Starts the peak of resident memory anew, where the kernel can (Linux)."""
    path = Path("/proc/self/clear_refs")
    if path.exists():
        try:
            path.write_text("5")
        except OSError:
            return  # a locked-down kernel: the peak is then that of the whole process, which is no less true


def peak_memory_bytes() -> int:
    """The largest resident memory since the last reset, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def size(count: float) -> str:
    """A number of bytes for a person, in decimal units: ``3.31 MB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(count) < 1000 or unit == "GB":
            return f"{count:.0f} B" if unit == "B" else f"{count:.2f} {unit}"
        count /= 1000
    raise AssertionError("the last unit returns")


def table(rows: Sequence[tuple[str, str]]) -> str:
    """Names and values in two aligned columns."""
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"{name:<{width}}  {value}" for name, value in rows)

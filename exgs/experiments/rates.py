"""How much a link carries over time: a constant, or a recorded trace that repeats.

A rate is kept as the curve of all bytes carried since its start, linear between its points. When a packet has
left is then one look-up, however finely the rate changes.
"""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from exgs.experiments.errors import ExperimentError
from exgs.protocol.megabits import BYTES_PER_MBIT

MAHIMAHI_PACKET_BYTES = 1500
"""Each line of a Mahimahi trace is the chance to send this much."""
MAX_TRACE_BYTES = 64 << 20
MAX_TRACE_S = 7 * 86400.0
MAX_MBPS = 1e6


class Rate:
    """Bytes per second as a function of time that repeats when it is over."""

    def __init__(self, times_s: Sequence[float], carried_bytes: Sequence[float]) -> None:
        """Points of the curve: ``carried_bytes[i]`` by ``times_s[i]``; both begin at 0 and never fall.

        Raises:
            ExperimentError: they do not, or nothing is ever carried.
        """
        if len(times_s) != len(carried_bytes) or len(times_s) < 2 or times_s[0] or carried_bytes[0]:
            raise ExperimentError("rate: expected at least two points, the first at 0 s and 0 bytes")
        if any(later <= sooner for sooner, later in itertools.pairwise(times_s)):
            raise ExperimentError("rate: expected times that grow")
        if any(later < sooner for sooner, later in itertools.pairwise(carried_bytes)):
            raise ExperimentError("rate: expected no negative rates")
        if not carried_bytes[-1] > 0:
            raise ExperimentError("rate: nothing is ever carried")
        self._times_s, self._bytes = tuple(times_s), tuple(carried_bytes)

    @staticmethod
    def constant(mbps: float) -> Rate:
        """``mbps`` megabits per second, for ever.

        Raises:
            ExperimentError: it is not positive, or absurd.
        """
        if not 0 < mbps <= MAX_MBPS:
            raise ExperimentError(f"rate of {mbps:g} Mbit/s: expected more than 0 and at most {MAX_MBPS:g}")
        return Rate((0.0, 1.0), (0.0, mbps * BYTES_PER_MBIT))

    @property
    def mean_mbps(self) -> float:
        """Over one period, in megabits per second."""
        return self._bytes[-1] / BYTES_PER_MBIT / self._times_s[-1]

    def finished_s(self, start_s: float, size_bytes: float) -> float:
        """When ``size_bytes`` have left beginning at ``start_s``, both from the start of the rate."""
        wanted = self._carried_by(start_s) + size_bytes
        periods, rest = divmod(wanted, self._bytes[-1])
        if not rest:  # the end of a period, not the first moment of the next that carries anything
            periods, rest = periods - 1, self._bytes[-1]
        index = min(bisect_right(self._bytes, rest), len(self._bytes) - 1)
        while self._bytes[index - 1] >= rest:
            index -= 1
        low, high = self._bytes[index - 1], self._bytes[index]
        share = (rest - low) / (high - low)
        sooner, later = self._times_s[index - 1], self._times_s[index]
        return max(start_s, periods * self._times_s[-1] + sooner + share * (later - sooner))

    def _carried_by(self, at_s: float) -> float:
        periods, rest_s = divmod(max(at_s, 0.0), self._times_s[-1])
        index = min(bisect_right(self._times_s, rest_s), len(self._times_s) - 1)
        sooner, later = self._times_s[index - 1], self._times_s[index]
        low, high = self._bytes[index - 1], self._bytes[index]
        return periods * self._bytes[-1] + low + (rest_s - sooner) / (later - sooner) * (high - low)


def read_rate(path: Path) -> Rate:
    """Reads a trace: Mahimahi (one time in milliseconds a line) or lines of ``seconds mbps``.

    Raises:
        ExperimentError: it cannot be read, or is neither.
    """
    try:
        if path.stat().st_size > MAX_TRACE_BYTES:
            raise ExperimentError(f"{path}: larger than {MAX_TRACE_BYTES >> 20} MiB")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ExperimentError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ExperimentError(f"{path}: no text") from error
    try:
        return parse_rate(text)
    except ExperimentError as error:
        raise ExperimentError(f"{path}: {error}") from error


def parse_rate(text: str) -> Rate:
    """The rate that a trace's text tells; lines that are empty or begin with # are left out.

    Raises:
        ExperimentError: it is neither a Mahimahi trace nor one of ``seconds mbps``.
    """
    rows = [
        (number, line.split())
        for number, line in enumerate(text.splitlines(), 1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    widths = {len(words) for _, words in rows}
    if widths == {1}:
        return _mahimahi([_number(number, words[0], MAX_TRACE_S * 1000) for number, words in rows])
    if widths == {2}:
        times = [_number(number, words[0], MAX_TRACE_S) for number, words in rows]
        return _steps(times, [_number(number, words[1], MAX_MBPS) for number, words in rows])
    raise ExperimentError("expected one number a line (Mahimahi) or two (seconds mbps)")


def _number(line: int, word: str, limit: float) -> float:
    try:
        value = float(word)
    except ValueError:
        value = float("nan")
    if not 0 <= value <= limit:
        raise ExperimentError(f"line {line}: {word[:40]!r}, expected a number from 0 to {limit:g}")
    return value


def _mahimahi(times_ms: Sequence[float]) -> Rate:
    """A packet may leave at each time; within its millisecond it leaves evenly."""
    packets = Counter(max(1, round(at_ms)) for at_ms in times_ms)
    times_s, carried = [0.0], [0.0]
    for at_ms in sorted(packets):
        if (at_ms - 1) / 1000 > times_s[-1]:
            times_s.append((at_ms - 1) / 1000)
            carried.append(carried[-1])
        times_s.append(at_ms / 1000)
        carried.append(carried[-1] + packets[at_ms] * MAHIMAHI_PACKET_BYTES)
    return Rate(times_s, carried)


def _steps(times_s: Sequence[float], mbps: Sequence[float]) -> Rate:
    """Each rate holds from its time to the next; the last as long as the one before it, or a second."""
    if any(later <= sooner for sooner, later in itertools.pairwise(times_s)):
        raise ExperimentError("expected times that grow from line to line")
    last_s = times_s[-1] - times_s[-2] if len(times_s) > 1 else 1.0
    spans = [later - sooner for sooner, later in itertools.pairwise(times_s)] + [last_s]
    at_s, carried = [0.0], [0.0]
    for span_s, rate in zip(spans, mbps, strict=True):
        at_s.append(at_s[-1] + span_s)
        carried.append(carried[-1] + rate * BYTES_PER_MBIT * span_s)
    return Rate(at_s, carried)

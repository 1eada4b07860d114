"""What a dashboard may read, in a registry that belongs to one server."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.metrics import MetricWrapperBase

from exgs.version import __version__

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
MAX_CLIENT_MEASURES = 32
"""Names of statistics kept of one viewer; further ones are ignored, so that none can fill the memory."""
_MEASURE = re.compile(r"[a-z][a-z0-9_]{0,63}")


class Metrics:
    """Counters and gauges of one server."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        counter, gauge = partial(Counter, registry=registry), partial(Gauge, registry=registry)
        histogram = partial(Histogram, registry=registry)
        build = gauge("exgs_build_info", "Version of the server.", ["version"])
        build.labels(__version__).set(1)
        self.sessions = gauge("exgs_sessions", "Sessions open or opening.")
        self.opened = counter("exgs_sessions_opened", "Sessions whose greeting succeeded.")
        self.resumed = counter("exgs_sessions_resumed", "Sessions that go on after a lost connection.")
        self.limited_s = counter(
            "exgs_limited_seconds", "Time of streaming, by what held it back.", ["limiter"]
        )
        self.closed = counter("exgs_sessions_closed", "Sessions that ended, by close code.", ["code"])
        self.refused = counter("exgs_refused", "Requests refused, by reason.", ["reason"])
        self.requests = counter("exgs_http_requests", "HTTP answers, by status.", ["status"])
        self.sent_bytes = counter("exgs_chunk_bytes_sent", "Bytes of chunks handed to viewers.")
        self.sent_chunks = counter("exgs_chunks_sent", "Chunks handed to viewers.")
        self.delivered_chunks = counter("exgs_chunks_delivered", "Chunks that viewers confirmed.")
        self.completed = counter("exgs_scenes_completed", "Scenes sent whole.")
        self.first_chunk_s = histogram(
            "exgs_first_chunk_seconds", "From a viewer's wish for a scene to its first chunk."
        )
        self.rtt_s = histogram(
            "exgs_rtt_seconds", "Round trips, sampled at each chunk confirmed.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
        )  # fmt: skip
        self.cache_hits = counter("exgs_cache_hits", "Source scenes found encoded on disk.")
        self.cache_misses = counter("exgs_cache_misses", "Source scenes that had to be encoded.")
        self.encodings = gauge("exgs_encodings_running", "Encodings under way or waiting.")
        self.encode_s = histogram(
            "exgs_encode_seconds", "Time of encodings, by result.", ["result"],
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 3600),
        )  # fmt: skip
        self.client = gauge("exgs_client", "Newest statistics of each viewer.", ["session", "measure"])
        self._measures: dict[str, set[str]] = {}

    @contextmanager
    def encoding(self) -> Iterator[None]:
        """Counts and times one encoding."""
        started_s, result = time.monotonic(), "failed"
        self.encodings.inc()
        try:
            yield
            result = "done"
        finally:
            self.encodings.dec()
            self.encode_s.labels(result).observe(time.monotonic() - started_s)

    def note_client(self, session: str, values: Mapping[str, float]) -> None:
        """Keeps the newest statistics that a viewer reported."""
        known = self._measures.setdefault(session, set())
        for measure, value in values.items():
            if _MEASURE.fullmatch(measure) and (measure in known or len(known) < MAX_CLIENT_MEASURES):
                known.add(measure)
                self.client.labels(session, measure).set(value)

    def forget_client(self, session: str) -> None:
        """Drops what a viewer reported, after its session."""
        for measure in self._measures.pop(session, ()):
            self.client.remove(session, measure)

    def text(self) -> bytes:
        """Everything in the text format of Prometheus."""
        return generate_latest(self.registry)


def total(metric: MetricWrapperBase) -> float:
    """The value of a counter or gauge, over all its labels."""
    samples = (sample for family in metric.collect() for sample in family.samples)
    return sum(sample.value for sample in samples if not sample.name.endswith("_created"))

"""What a dashboard may read, in a registry that belongs to one server."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

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
        self.registry = CollectorRegistry()
        registry = self.registry
        ProcessCollector(registry=registry)
        build = Gauge("exgs_build_info", "Version of the server.", ["version"], registry=registry)
        build.labels(__version__).set(1)
        self.sessions = Gauge("exgs_sessions", "Sessions open or opening.", registry=registry)
        self.opened = Counter("exgs_sessions_opened", "Sessions whose greeting succeeded.", registry=registry)
        self.resumed = Counter(
            "exgs_sessions_resumed", "Sessions that go on after a lost connection.", registry=registry
        )
        self.limited_s = Counter(
            "exgs_limited_seconds", "Time of streaming, by what held it back.", ["limiter"], registry=registry
        )
        self.closed = Counter(
            "exgs_sessions_closed", "Sessions that ended, by close code.", ["code"], registry=registry
        )
        self.refused = Counter("exgs_refused", "Requests refused, by reason.", ["reason"], registry=registry)
        self.requests = Counter(
            "exgs_http_requests", "HTTP answers, by status.", ["status"], registry=registry
        )
        self.sent_bytes = Counter(
            "exgs_chunk_bytes_sent", "Bytes of chunks handed to viewers.", registry=registry
        )
        self.sent_chunks = Counter("exgs_chunks_sent", "Chunks handed to viewers.", registry=registry)
        self.delivered_chunks = Counter(
            "exgs_chunks_delivered", "Chunks that viewers confirmed.", registry=registry
        )
        self.completed = Counter("exgs_scenes_completed", "Scenes sent whole.", registry=registry)
        self.first_chunk_s = Histogram(
            "exgs_first_chunk_seconds",
            "From a viewer's wish for a scene to its first chunk.",
            registry=registry,
        )
        self.rtt_s = Histogram(
            "exgs_rtt_seconds", "Round trips, sampled at each chunk confirmed.",
            buckets=(0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5), registry=registry,
        )  # fmt: skip
        self.cache_hits = Counter(
            "exgs_cache_hits", "Source scenes found encoded on disk.", registry=registry
        )
        self.cache_misses = Counter(
            "exgs_cache_misses", "Source scenes that had to be encoded.", registry=registry
        )
        self.encodings = Gauge("exgs_encodings_running", "Encodings under way or waiting.", registry=registry)
        self.encode_s = Histogram(
            "exgs_encode_seconds", "Time of encodings, by result.", ["result"],
            buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 3600), registry=registry,
        )  # fmt: skip
        self.client = Gauge(
            "exgs_client", "Newest statistics of each viewer.", ["session", "measure"], registry=registry
        )
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

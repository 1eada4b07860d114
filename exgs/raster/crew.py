"""Threads of our own: ranges are handed out, and whoever calls works too."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

PARTS_PER_THREAD = 8
"""Parts into which a thread's share of the work is cut, so that none waits long for the slowest."""


class Crew:
    """A few threads that share out jobs; any thread may call, at any time.

    Jobs let go of the interpreter lock (kernels compiled with ``nogil``) and never wait for one another.
    """

    def __init__(self, threads: int | None = None) -> None:
        """``threads`` includes the caller's; None takes as many as there are processors to use."""
        self.threads = threads or _processors()
        self._pool: ThreadPoolExecutor | None = None
        self._process = 0

    def share(self, function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]]) -> list[Any]:
        """``function(*job)`` for every job, on all threads; the results in the order of the jobs."""
        todo = deque(enumerate(jobs))
        results: list[Any] = [None] * len(todo)

        def work() -> None:
            while True:
                try:
                    index, job = todo.popleft()
                except IndexError:
                    return
                results[index] = function(*job)

        helpers = [self._helpers().submit(work) for _ in range(min(self.threads, len(todo)) - 1)]
        try:
            work()
        finally:
            todo.clear()
            for helper in helpers:
                helper.result()
        return results

    def parts(self, count: int) -> list[tuple[int, int]]:
        """[0, count) in ranges of nearly one length, ``PARTS_PER_THREAD`` for each thread."""
        return ranges(count, PARTS_PER_THREAD * self.threads)

    def _helpers(self) -> ThreadPoolExecutor:
        """The pool; a forked process needs one of its own, for threads do not cross a fork."""
        if self._pool is None or self._process != os.getpid():
            self._pool = ThreadPoolExecutor(max(1, self.threads - 1), thread_name_prefix="raster")
            self._process = os.getpid()
        return self._pool


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def ranges(count: int, parts: int) -> list[tuple[int, int]]:
    """[0, count) cut into at most ``parts`` ranges of nearly one length."""
    parts = max(1, min(parts, count))
    return [(count * part // parts, count * (part + 1) // parts) for part in range(parts)]

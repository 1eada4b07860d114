"""Threads and tasks beside one another: ended in good order, and not kept waiting."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

SWITCH_S = 0.0003


async def in_thread(body: Callable[[], None], stop: Callable[[], None], *, name: str) -> None:
    """Runs ``body`` in a thread of its own. Cancelled, it calls ``stop`` and waits for ``body`` to return."""
    pool = ThreadPoolExecutor(1, thread_name_prefix=name)
    future = asyncio.get_running_loop().run_in_executor(pool, body)
    pool.shutdown(wait=False)
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        stop()
        await future
        raise


@contextmanager
def first_failure() -> Iterator[None]:
    """Where several tasks of a group fail, raises what failed first in the place of them all."""
    try:
        yield
    except BaseExceptionGroup as failures:
        raise _first(failures) from failures


@contextmanager
def brisk_switching() -> Iterator[None]:
    """While it lasts, a thread that wants the interpreter's lock gets it within a third of a millisecond.

    A picture takes the lock a few times, between kernels. By default each time may last 5 ms while the event
    loop is busy receiving, which made pictures of 30 ms take 55 to 70.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


def _first(failures: BaseExceptionGroup[BaseException]) -> BaseException:
    failure = failures.exceptions[0]
    return _first(failure) if isinstance(failure, BaseExceptionGroup) else failure

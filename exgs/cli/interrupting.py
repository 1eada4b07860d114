"""Ctrl-C before a command begins: nothing is unfinished then, and the process ends at once.

Imports only what Python has at hand, for it is there before all else is imported. What is interrupted while
it is imported may swallow the interrupt, or tell of it in pages.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

INTERRUPTED = 130
"""Exit code, as of a shell's command that Ctrl-C ended."""


def end_at_once() -> None:
    """From now on Ctrl-C ends the process with a word; nothing changes where somebody else takes interrupts.

    Must be called on the main thread.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)


@contextmanager
def raising() -> Iterator[None]:
    """While it lasts Ctrl-C raises KeyboardInterrupt where it would end the process at once."""
    if signal.getsignal(signal.SIGINT) is not _end:
        yield
        return
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, _end)


def _end(_number: int, _frame: FrameType | None) -> None:
    with suppress(OSError):
        os.write(2, b"exgs: interrupted\n")
    os._exit(INTERRUPTED)

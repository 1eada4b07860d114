"""What the operating system gives a command: its streams, and the signals that end it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def prepare_streams() -> None:
    """Makes standard output and error safe to print to.

    A closed one takes the words and forgets them; characters that its encoding lacks are escaped.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """While it lasts, what asks the process to end raises SystemExit, so that unfinished outputs are removed.

    Where another thread than the main one runs the command, signals stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in ENDING_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_input() -> None:
    """From now on the end of standard input interrupts this process, as Ctrl-C does.

    Whoever starts it with a pipe there need not live to end it.
    """
    threading.Thread(target=_interrupt_at_end_of_input, daemon=True).start()


def _interrupt_at_end_of_input() -> None:
    while os.read(0, 4096):
        continue
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)  # to this thread alone it would wake nobody
    else:
        signal.raise_signal(signal.SIGINT)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)

"""What the operating system gives a command: its streams, and the signals that end it."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

AGAIN_S = 0.05
"""After this a signal comes once more that Python had no way to act on."""
STANDARD_STREAMS = (0, 1, 2)
ENDING_SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name))


def prepare_streams() -> None:
    """Makes standard output and error safe to print to, and keeps other files out of the places of all three.

    A closed one takes the words and forgets them; characters that its encoding lacks are escaped.
    """
    for descriptor in STANDARD_STREAMS:
        _fill(descriptor)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, os.O_WRONLY), "w"))
        elif hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def _fill(descriptor: int) -> None:
    """Puts nothing at all where a standard stream was closed: the next file opened would take its place.

    Event loops abort when they find one of theirs there.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # the lowest that is free: this one


def ending_signals() -> tuple[signal.Signals, ...]:
    """What asks this process to end, but for what it was started to ignore, as by ``nohup``."""
    return tuple(number for number in ENDING_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN)


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """While it lasts, what asks the process to end raises SystemExit, so that unfinished outputs are removed.

    Where another thread than the main one runs the command, signals stay as they are.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, _end) for number in ending_signals()}
    told, sys.unraisablehook = sys.unraisablehook, _signal_again(sys.unraisablehook)
    try:
        yield
    finally:
        sys.unraisablehook = told
        for number, handler in before.items():
            signal.signal(number, handler)


def _signal_again(told: Callable[[Any], Any]) -> Callable[[Any], None]:
    """A hook for what cannot be raised, ``told`` of all but the exceptions of signals.

    A signal that comes during a callback from C (numba has some) would be forgotten: it is sent again.
    """

    def hook(unraisable: Any) -> None:
        error = unraisable.exc_value
        if isinstance(error, KeyboardInterrupt):
            number: int = signal.SIGINT
        elif isinstance(error, SystemExit) and isinstance(error.code, int) and error.code > 128:
            number = error.code - 128
        else:
            told(unraisable)
            return
        timer = threading.Timer(AGAIN_S, _interrupt, (number,))
        timer.daemon = True
        timer.start()

    return hook


def end_with_input() -> None:
    """From now on the end of standard input interrupts this process, as Ctrl-C does.

    Whoever starts it with a pipe there need not live to end it.
    """
    threading.Thread(target=_interrupt_at_end_of_input, daemon=True).start()


def _interrupt_at_end_of_input() -> None:
    while os.read(0, 4096):
        continue
    _interrupt(signal.SIGINT)


def _interrupt(number: int) -> None:
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, number)  # to this thread alone it would wake nobody
    else:
        signal.raise_signal(number)


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)

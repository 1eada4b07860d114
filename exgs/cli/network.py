"""What both ends of a session take from the command line and the environment, and how they run."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from exgs.cli.errors import UsageError
from exgs.cli.process import ending_signals
from exgs.protocol.drivers.settings import IceServer
from exgs.server.tickets import SECRET_RULE, is_secret

TOKEN_VARIABLE = "EXGS_TOKEN"

T = TypeVar("T")


def add_token(group: argparse._ActionsContainer, meaning: str) -> None:
    """Adds ``--token``."""
    group.add_argument("--token", type=str, help=f"{meaning} (default: the environment's {TOKEN_VARIABLE})")


def token(given: str | None) -> str | None:
    """The secret that was ``given``, else that of the environment; None where there is none.

    Raises:
        UsageError: it cannot be one.
    """
    origin = TOKEN_VARIABLE if given is None else "--token"
    found = os.environ.get(TOKEN_VARIABLE) if given is None else given
    if found == "":
        raise UsageError(f"{origin} is set, but empty: give the secret, or do not set it")
    if found is not None and not is_secret(found):
        raise UsageError(f"{origin}: the token must be {SECRET_RULE}")
    return found


def add_ice_servers(group: argparse._ActionsContainer) -> None:
    """Adds ``--ice-server``."""
    group.add_argument(
        "--ice-server", metavar="URL", type=_ice_server, action="append", default=[],
        help="stun:HOST:PORT or turn:USER:SECRET@HOST:PORT; may be repeated",
    )  # fmt: skip


def add_transport(group: argparse._ActionsContainer) -> None:
    """Adds ``--transport``."""
    group.add_argument(
        "--transport", choices=("auto", "webrtc", "websocket"), default="auto",
        help="what carries the session (default: WebRTC, or a WebSocket where no UDP gets through)",
    )  # fmt: skip


def run(work: Coroutine[Any, Any, T]) -> T:
    """Runs ``work`` to its end. What asks the process to end cancels it, as Ctrl-C does.

    Raises:
        KeyboardInterrupt: it was cancelled.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        try:
            return runner.run(_terminable(work))
        except asyncio.CancelledError:
            raise KeyboardInterrupt from None


async def _terminable(work: Coroutine[Any, Any, T]) -> T:
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    assert task is not None
    if os.name != "posix":
        return await work
    before = {number: signal.getsignal(number) for number in ending_signals()}
    for number in before:
        loop.add_signal_handler(number, task.cancel)
    try:
        return await work
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)  # what called this may have more to take down


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """uvloop where it is installed: about half the processor time per byte."""
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


def _ice_server(text: str) -> IceServer:
    try:
        return IceServer.from_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error

"""Runs encodings, and other work that is long or risky, in processes of their own, so many at a time."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable
from pathlib import Path

import exgs
from exgs.server.errors import SceneFailed, TookTooLong
from exgs.server.worker import FAILURE, FRAME, NOTE, PROGRESS, RESULT, WARNING, Job, Look

ENCODE_TIMEOUT_S = 4 * 3600.0
"""Of a job: about four times what ``best`` takes for 13 million Gaussians on two busy cores."""
MAX_RESULT_BYTES = 2 << 30
MAX_TEXT_BYTES = 1 << 16
LEVELS = {NOTE: logging.INFO, WARNING: logging.WARNING}
"""Of what a worker has to say of its work."""
_BOOTSTRAP = (
    "import sys; sys.path.append(sys.argv[1]); from exgs.server.worker import run; raise SystemExit(run())"
)

logger = logging.getLogger(__name__)


def worker_command() -> tuple[str, ...]:
    """Starts a worker that finds this very package, and nothing in the current folder."""
    return (sys.executable, "-P", "-c", _BOOTSTRAP, str(Path(exgs.__file__).parents[1]))


class WorkerPool:
    """Does jobs in at most ``workers`` processes at once; further ones wait their turn."""

    def __init__(
        self, *, workers: int = 1, timeout_s: float = ENCODE_TIMEOUT_S, command: tuple[str, ...] | None = None
    ) -> None:
        """``timeout_s`` bounds one job; ``command`` starts another worker than ours."""
        self._slots = asyncio.Semaphore(workers)
        self._timeout_s = timeout_s
        self._command = command or worker_command()

    async def run(
        self,
        job: Job | Look,
        report: Callable[[float], None] = lambda _: None,
        note: Callable[[int, str], None] = lambda _level, _text: None,
    ) -> bytes:
        """What came of a job; ``report`` is called with the share done, 0 to 1, ``note`` with what else there
        is to say of it, and of which level of a log that is. Cancelling ends the process.

        Raises:
            SceneFailed: it cannot be done; the message says why.
            TookTooLong: likewise, for want of time.
        """
        async with self._slots:
            try:
                process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                    start_new_session=True,  # a terminal's Ctrl-C is for the server alone, which ends it
                )  # fmt: skip
            except OSError as error:
                raise SceneFailed(f"no process could be started for it: {error.strerror}") from error
            try:
                async with asyncio.timeout(self._timeout_s):
                    return await _converse(process, job, report, note)
            except TimeoutError:
                work = "encoding it" if isinstance(job, Job) else "looking at it"
                raise TookTooLong(
                    f"{work} took longer than {_time(self._timeout_s)} and was stopped"
                ) from None
            finally:
                await _end(process)


def _time(seconds: float) -> str:
    """For a person: ``4 h``, ``90 min``, ``0.2 s``."""
    for unit, name in ((3600, "h"), (60, "min")):
        if seconds >= unit and seconds % unit == 0:
            return f"{seconds / unit:g} {name}"
    return f"{seconds:g} s"


async def _converse(
    process: asyncio.subprocess.Process,
    job: Job | Look,
    report: Callable[[float], None],
    note: Callable[[int, str], None],
) -> bytes:
    assert process.stdin is not None and process.stdout is not None
    try:
        process.stdin.write(job.to_line())
        await process.stdin.drain()
        while True:
            kind, length = FRAME.unpack(await process.stdout.readexactly(FRAME.size))
            if length > (MAX_RESULT_BYTES if kind == RESULT else MAX_TEXT_BYTES):
                raise SceneFailed(f"what came of it is larger than {MAX_RESULT_BYTES} bytes")
            payload = await process.stdout.readexactly(length)
            if kind == RESULT:
                return payload
            if kind == FAILURE:
                raise SceneFailed(payload.decode(errors="replace"))
            if kind == PROGRESS:
                report(min(max(float(payload), 0.0), 1.0))
            if kind in LEVELS:
                note(LEVELS[kind], payload.decode(errors="replace"))
    except (asyncio.IncompleteReadError, ConnectionError):
        raise SceneFailed(await _epitaph(process)) from None


async def _epitaph(process: asyncio.subprocess.Process) -> str:
    code = await process.wait()
    if code < 0:
        return f"the process that worked on it was killed by signal {-code}, perhaps for want of memory"
    return f"the process that worked on it stopped with exit code {code}; the server's log has more"


async def _end(process: asyncio.subprocess.Process) -> None:
    """Kills what still runs and waits for it, whatever happens to us meanwhile."""
    if process.returncode is None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    await asyncio.shield(process.wait())

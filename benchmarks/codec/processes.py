"""Runs a command and says what it took."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO

from benchmarks.codec.scenes import ROOT


class CommandError(Exception):
    """A command failed: what it said last."""


@dataclass(frozen=True)
class Finished:
    """A command that ended well."""

    output: str
    """What it printed."""
    seconds: float
    """From its start to its end, start of the interpreter included."""
    peak_mib: float
    """Most memory that it held."""
    remarks: str = ""
    """What it printed to the error stream."""


def run(words: Sequence[object]) -> Finished:
    """Runs a command to its end, in the root of the repository.

    Raises:
        CommandError: it cannot be started, or failed.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        began = time.perf_counter()
        try:
            process = subprocess.Popen([str(word) for word in words], stdout=out, stderr=err, cwd=ROOT)
        except OSError as error:
            raise CommandError(f"{words[0]}: {error.strerror}") from error
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise CommandError(_last_words(err) or f"{words[0]} ended with {process.returncode}")
        return Finished(_text(out), seconds, usage.ru_maxrss / 1024, _text(err))


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode(errors="replace")


def _last_words(stream: IO[bytes]) -> str:
    lines = [line.strip() for line in _text(stream).splitlines()]
    return " ".join([line for line in lines if line and not line.startswith("at ")][-2:])[:300]

"""Encoder processes: results, progress, crashes, hangs. The workers here are a few lines of Python."""

import asyncio
import json
import logging
import os
import sys
from pathlib import Path

import pytest

from exgs.codec.encoding.config import EncodeConfig
from exgs.server.errors import SceneFailed
from exgs.server.pool import WorkerPool, _time
from exgs.server.worker import Job
from tests.feedforward.captures import cameras_around, write_transforms

CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")
"""Process ids of this process's living children, on Linux."""
PREAMBLE = """
import os, struct, sys
def send(kind, payload):
    sys.stdout.buffer.write(struct.pack("<cQ", kind, len(payload)) + payload); sys.stdout.buffer.flush()
line = sys.stdin.buffer.readline()
"""


def _pool(script: str, **settings: float) -> WorkerPool:
    return WorkerPool(command=(sys.executable, "-c", PREAMBLE + script), **settings)  # type: ignore[arg-type]


def _job(path: str = "scene.ply") -> Job:
    return Job(Path(path), EncodeConfig())


async def test_progress_and_result() -> None:
    heard: list[float] = []
    pool = _pool("send(b'P', b'0.25'); send(b'P', b'7'); send(b'R', line)")
    job = _job()
    assert await pool.run(job, heard.append) == job.to_line()
    assert heard == [0.25, 1.0]


async def test_what_there_is_to_say_is_told_in_its_order() -> None:
    told: list[tuple[int, str]] = []
    pool = _pool("send(b'W', b'guessed'); send(b'P', b'1'); send(b'N', b'covers all'); send(b'R', b'')")
    assert await pool.run(_job(), note=lambda *said: told.append(said)) == b""
    assert told == [(logging.WARNING, "guessed"), (logging.INFO, "covers all")]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("send(b'F', b'no such thing')", "no such thing"),
        ("sys.exit(3)", "exit code 3"),
        ("os.kill(os.getpid(), 9)", "signal 9"),
        ("sys.stdout.buffer.write(b'R'); sys.exit(0)", "exit code 0"),
        ("sys.stdout.buffer.write(struct.pack('<cQ', b'R', 1 << 60)); sys.stdout.flush()", "larger than"),
        ("sys.stdout.buffer.write(b'hello, this is no frame'); sys.stdout.flush()", "larger than|exit code"),
        ("sys.stdin.read()", "^encoding it took longer than 0.2 s and was stopped$"),
    ],
)
async def test_failures_are_one_line(script: str, message: str) -> None:
    pool = _pool(script, timeout_s=0.2 if "stdin" in script else 60)
    with pytest.raises(SceneFailed, match=message):
        await pool.run(_job(), lambda _: None)


async def test_a_worker_that_cannot_start() -> None:
    pool = WorkerPool(command=("/nonexistent/worker",))
    with pytest.raises(SceneFailed, match="no process could be started"):
        await pool.run(_job(), lambda _: None)


@pytest.mark.skipif(not CHILDREN.exists(), reason="this system does not list a process's children")
async def test_cancelling_ends_the_process() -> None:
    started = asyncio.Event()
    pool = _pool("send(b'P', b'0'); sys.stdin.read()")
    before = CHILDREN.read_text().split()
    task = asyncio.create_task(pool.run(_job(), lambda _: started.set()))
    await started.wait()
    assert len(CHILDREN.read_text().split()) == len(before) + 1
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert CHILDREN.read_text().split() == before


@pytest.mark.skipif(os.name != "posix", reason="no sessions of terminals")
async def test_what_a_terminal_sends_to_the_server_does_not_reach_its_workers() -> None:
    """They would tell of Ctrl-C in pages; as it is they end with their input."""
    found = await _pool("send(b'R', str(os.getsid(0)).encode())").run(_job(), lambda _: None)
    assert int(found) != os.getsid(0)


async def test_only_so_many_at_once() -> None:
    pool = _pool("send(b'P', b'0'); send(b'R', b'')", workers=2)
    running = peak = 0

    async def one() -> None:
        nonlocal running, peak

        def note(_: float) -> None:
            nonlocal running, peak
            running += 1
            peak = max(peak, running)

        await pool.run(_job(), note)
        running -= 1

    await asyncio.gather(*(one() for _ in range(5)))
    assert 1 <= peak <= 2


async def test_the_real_worker_reports_a_bad_scene_without_its_folder(tmp_path: Path) -> None:
    (tmp_path / "bad.ply").write_bytes(b"not a scene at all")
    with pytest.raises(SceneFailed) as caught:
        await WorkerPool().run(_job(str(tmp_path / "bad.ply")), lambda _: None)
    assert "bad.ply" in str(caught.value) and str(tmp_path) not in str(caught.value)


async def test_the_real_worker_says_what_is_wrong_with_views(tmp_path: Path) -> None:
    path = write_transforms(tmp_path / "flat", cameras_around())
    (tmp_path / "flat" / "images" / "03.png").unlink()
    said = r"^images/03\.png: there is no such picture \(1 of 5 are missing\)$"
    with pytest.raises(SceneFailed, match=said):
        await WorkerPool().run(_job(str(path)), lambda _: None)


async def test_the_real_worker_ends_with_its_input() -> None:
    from exgs.server.pool import worker_command

    process = await asyncio.create_subprocess_exec(
        *worker_command(), stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    await process.communicate(b"")
    assert process.returncode != 0


def test_times_are_told_in_the_largest_unit_that_is_whole() -> None:
    assert [_time(seconds) for seconds in (14_400.0, 5400, 61, 0.2)] == ["4 h", "90 min", "61 s", "0.2 s"]


def test_a_job_survives_its_line() -> None:
    job = Job(Path("/a b/ü.ply"), EncodeConfig(ratio=50.0, effort="best", seed=3))
    assert Job.of(json.loads(job.to_line())) == job

import asyncio
import sys
import threading

import pytest

from exgs.client.threads import SWITCH_S, brisk_switching, first_failure, in_thread


async def test_runs_the_body():
    seen: list[bool] = []
    await in_thread(
        lambda: seen.append(threading.current_thread() is threading.main_thread()), lambda: None, name="test"
    )
    assert seen == [False]


async def test_an_error_comes_through():
    def fail() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await in_thread(fail, lambda: None, name="test")


async def test_cancelled_it_stops_the_body_and_waits_for_it():
    started, stop, ended = asyncio.Event(), threading.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def body() -> None:
        loop.call_soon_threadsafe(started.set)
        stop.wait()
        ended.set()

    task = asyncio.create_task(in_thread(body, stop.set, name="test"))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


def test_switching_is_brisk_for_a_while_and_then_as_before():
    before = sys.getswitchinterval()
    with pytest.raises(KeyError), brisk_switching():
        assert sys.getswitchinterval() == pytest.approx(SWITCH_S)
        raise KeyError
    assert sys.getswitchinterval() == before


async def test_the_first_failure_stands_for_all():
    async def fail(error: Exception) -> None:
        raise error

    with pytest.raises(KeyError) as caught, first_failure():
        async with asyncio.TaskGroup(), asyncio.TaskGroup() as group:
            group.create_task(fail(KeyError("first")))
            group.create_task(fail(ValueError("second")))
    assert isinstance(caught.value.__cause__, ExceptionGroup)

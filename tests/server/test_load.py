"""Lateness of an event loop."""

import asyncio
import time

from exgs.server.load import SPAN_S, STEP_S, Load


def test_one_long_step_says_nothing_and_many_do() -> None:
    load = Load()
    assert load.late_s == 0
    count = round(SPAN_S / STEP_S)
    for late_s in [0.001] * (count - 1) + [2.0]:
        load.note(late_s)
    assert load.late_s == 0.001
    for _ in range(count // 2 + 1):
        load.note(0.4)
    assert load.late_s == 0.4
    for _ in range(count):
        load.note(0.0)
    assert load.late_s == 0


async def test_it_sees_a_loop_that_is_held_up() -> None:
    load = Load()
    watching = asyncio.create_task(load.watch())
    await asyncio.sleep(0)
    time.sleep(STEP_S + 0.05)
    async with asyncio.timeout(5):
        while not load.late_s:
            await asyncio.sleep(0)
    watching.cancel()
    assert load.late_s >= 0.04

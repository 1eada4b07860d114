"""Lateness of an event loop."""

import asyncio

from exgs.server.load import SPAN_S, STEP_S, Load

COUNT = round(SPAN_S / STEP_S)


def test_one_long_step_says_nothing_and_many_do() -> None:
    load = Load()
    for late_s in [0.001] * (COUNT - 1) + [2.0]:
        load.note(late_s)
    assert load.late_s == 0.001
    for _ in range(COUNT // 2 + 1):
        load.note(0.4)
    assert load.late_s == 0.4
    for _ in range(COUNT):
        load.note(0.0)
    assert load.late_s == 0


def test_a_short_look_tells_nothing() -> None:
    load = Load()
    for _ in range(COUNT // 2 - 1):
        load.note(1.0)
    assert load.late_s == 0
    load.note(1.0)
    assert load.late_s == 1


async def test_it_looks_on_until_it_is_stopped() -> None:
    load = Load()
    watching = asyncio.create_task(load.watch())
    async with asyncio.timeout(20):
        while not load._late_s:
            await asyncio.sleep(STEP_S / 10)
    watching.cancel()
    assert load._late_s[0] > -STEP_S / 10

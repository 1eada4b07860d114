"""Turns on an event loop: one at a time, and none lost to those who give up."""

import asyncio

import pytest

from exgs.server.turns import Turns
from exgs.server.uplink import Uplink


async def test_one_at_a_time_in_turn() -> None:
    uplink, order = Uplink(Turns()), []

    async def send(key: str) -> None:
        for _ in range(3):
            async with uplink.turn(key) as spend:
                order.append(key)
                spend(100)
            await asyncio.sleep(0)

    async with uplink.turn("first"):
        tasks = [asyncio.create_task(send(key)) for key in "abc"]
        await asyncio.sleep(0)
        assert not order, "the turn is held"
    await asyncio.gather(*tasks)
    assert "".join(order[:3]) == "abc" and sorted(order) == sorted("abc" * 3)


async def test_the_rate_is_kept() -> None:
    loop, uplink = asyncio.get_running_loop(), Uplink(Turns(100_000))
    start_s = loop.time()
    for _ in range(4):
        async with uplink.turn("a") as spend:
            spend(2_000)
    assert loop.time() - start_s >= 3 * 2_000 / 100_000 - 0.001
    assert uplink.active == 1


async def test_a_cap_that_is_lifted_lets_go_at_once_with_the_next_turn() -> None:
    uplink = Uplink(Turns(1))
    async with uplink.turn("a") as spend:
        spend(1_000_000)
    waiting = asyncio.create_task(_pass(uplink, "b"))
    await asyncio.sleep(0)
    assert not waiting.done()
    uplink.turns.bytes_per_s = 0
    async with asyncio.timeout(1):
        await asyncio.gather(_pass(uplink, "c"), waiting)


async def _pass(uplink: Uplink, key: str) -> None:
    async with uplink.turn(key):
        pass


@pytest.mark.parametrize("granted", [False, True])
async def test_who_gives_up_holds_nobody_up(granted: bool) -> None:
    uplink = Uplink(Turns())
    holding = uplink.turn("holder")
    await holding.__aenter__()
    given_up = asyncio.create_task(_pass(uplink, "a"))
    after = asyncio.create_task(_pass(uplink, "b"))
    await asyncio.sleep(0)
    if granted:
        await holding.__aexit__(None, None, None)  # a has its turn, and does not know it yet
    given_up.cancel()
    again = asyncio.create_task(_pass(uplink, "a"))
    if not granted:
        await holding.__aexit__(None, None, None)
    async with asyncio.timeout(1):
        await asyncio.gather(after, again)
    assert given_up.cancelled()
    async with asyncio.timeout(1):
        await _pass(uplink, "c")


async def test_an_error_in_a_turn_ends_it() -> None:
    uplink = Uplink(Turns())
    with pytest.raises(KeyError):
        async with uplink.turn("a"):
            raise KeyError("a")
    async with asyncio.timeout(1):
        await _pass(uplink, "b")

"""Sessions whose viewer may come back."""

import asyncio

from exgs.protocol import Preferences
from exgs.server.memory import Memory, Remembered


async def test_a_session_is_continued_once() -> None:
    memory, ended = Memory(60.0, 4), []
    remembered = Remembered("a", Preferences(5))
    token = memory.enter(remembered, lambda: ended.append("a"))
    assert token in memory and b"other" not in memory and "text" not in memory
    assert memory.continued(token) is remembered
    assert ended == ["a"]
    assert memory.continued(token) is None
    assert token not in memory


async def test_one_that_ended_as_it_should_is_forgotten() -> None:
    memory = Memory(60.0, 4)
    token = memory.enter(Remembered("a"), lambda: None)
    memory.over(token)
    memory.lost(token)
    assert token not in memory and len(memory) == 0


async def test_one_that_lost_its_viewer_is_kept_for_a_while() -> None:
    memory = Memory(0.02, 4)
    ended: list[str] = []
    token = memory.enter(Remembered("a"), lambda: ended.append("a"))
    memory.lost(token)
    assert token in memory
    async with asyncio.timeout(5):
        while token in memory:
            await asyncio.sleep(0.005)
    assert ended == []


async def test_so_many_are_kept_and_no_more() -> None:
    memory = Memory(60.0, 2)
    tokens = [memory.enter(Remembered(str(number)), lambda: None) for number in range(4)]
    for token in tokens:
        memory.lost(token)
    assert [token in memory for token in tokens] == [False, False, True, True]
    assert memory.continued(tokens[3]) is not None
    memory.close()
    assert len(memory) == 0

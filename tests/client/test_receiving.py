"""What goes from the connection to the decoder, and back."""

from typing import Any, cast

from exgs.client.lifeline import Lifeline
from exgs.client.opening import OpenedScene
from exgs.client.receiving import Reception
from exgs.codec import open_container
from exgs.protocol import Forgotten, Message, SceneInfo
from exgs.protocol.vocabulary import MAX_RECEIPT_CHUNKS
from tests.client.stage import encoded

DATA = open_container(encoded(2000))


class Line:
    """Notes what is said; it is its own endpoint."""

    def __init__(self) -> None:
        self.said: list[Message] = []
        self.endpoint = self

    def send(self, message: Message) -> None:
        self.said.append(message)


class Clock:
    """Stands still."""

    def now(self) -> float:
        return 0.0


def reception(line: Line, number: int) -> Reception:
    scene = OpenedScene("room", DATA.parsed, b"digest", number)
    return Reception(
        cast(Lifeline, line), scene, cast(Any, None), clock=cast(Any, Clock()), say=lambda *_, **__: None
    )


async def test_what_is_let_go_is_told_in_pieces_that_a_message_can_hold() -> None:
    line = Line()
    reception(line, 3).forgotten(range(MAX_RECEIPT_CHUNKS + 1))
    assert line.said == [
        Forgotten(3, tuple(range(MAX_RECEIPT_CHUNKS))), Forgotten(3, (MAX_RECEIPT_CHUNKS,))
    ]  # fmt: skip


async def test_nothing_is_told_of_a_scene_that_was_not_asked_for() -> None:
    line = Line()
    early = reception(line, -1)
    early.forgotten((0,))
    assert line.said == []
    await early._ask_again((SceneInfo(5, "room"),))
    early.forgotten((0,))
    assert line.said[1:] == [Forgotten(5, (0,))]

"""Events that wait."""

import pytest

from exgs.protocol import (
    ChunkReceived,
    CloseCode,
    Closed,
    ManifestReceived,
    OpenScene,
    Preferences,
    RemoteProtocolError,
    ViewUpdate,
)
from exgs.protocol.mailbox import Mailbox


def view(sequence: int) -> ViewUpdate:
    return ViewUpdate(sequence, 0, (0, 0, 0), (1, 0, 0, 0), (1, 1))


def test_only_the_newest_view_waits() -> None:
    mailbox = Mailbox()
    mailbox.put(view(1))
    mailbox.put(OpenScene(1))
    mailbox.put(Preferences(5))
    mailbox.put(view(2))
    mailbox.put(Preferences(6))
    assert [mailbox.take() for _ in range(4)] == [view(2), OpenScene(1), Preferences(6), None]


def test_a_peer_cannot_fill_the_mailbox() -> None:
    mailbox = Mailbox()
    with pytest.raises(RemoteProtocolError) as caught:
        for number in range(5000):
            mailbox.put(OpenScene(number))
    assert caught.value.close_code is CloseCode.FLOOD
    mailbox.put(Closed(CloseCode.FLOOD, "", by_peer=False))


def test_another_scene_clears_the_data_of_the_one_before() -> None:
    mailbox = Mailbox()
    mailbox.put(ManifestReceived(1, b"m"))
    mailbox.put(OpenScene(1))
    mailbox.put(ChunkReceived(1, 2, b"c"))
    mailbox.forget_scene()
    assert [mailbox.take(), mailbox.take()] == [OpenScene(1), None]

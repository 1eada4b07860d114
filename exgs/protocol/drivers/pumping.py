"""What passes between a connection and what carries its messages, whatever the clock and whoever calls."""

from __future__ import annotations

from collections.abc import Callable

from exgs.protocol.channels import Channel
from exgs.protocol.connection import Connection

POLL_S = 0.1
"""A transport that is full is asked again this often: its own call may never come when the peer is gone."""


def pump(
    connection: Connection, now_s: float, *,
    scene_channels: tuple[Channel, ...], buffered_bytes: Callable[[Channel], int],
) -> list[tuple[Channel, bytes]]:  # fmt: skip
    """Tells ``connection`` what time it is and what has room; gives what is to be sent now, in order.

    ``scene_channels`` are those that are up; connection 0 is asked for room though others carry the scene.
    """
    connection.handle_deadline(now_s)
    connection.set_scene_channels(scene_channels, now_s)
    for channel in sorted({Channel.CONTROL, Channel.POSE, Channel.SCENE_0, *scene_channels}):
        connection.set_buffered(channel, buffered_bytes(channel))
    return connection.messages_to_send(now_s)


def next_pump_s(connection: Connection, now_s: float) -> float | None:
    """When to do so again, whatever happens until then; None for never."""
    due_s = connection.next_deadline()
    if due_s is None:
        return None
    if connection.unacknowledged_bytes:
        due_s = min(due_s, now_s + POLL_S)
    return max(due_s, now_s)

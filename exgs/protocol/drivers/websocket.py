"""A WebSocket as a Transport, for where no UDP gets through: one TCP connection for all channels.

Each binary message is one byte of channel and one message of that channel. Order among channels is this
side's choice: control first, then poses, then scene data. What is lost below delays everything behind it,
which is why this is the second choice.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from typing import Any, Protocol

import aiohttp

from exgs.protocol.channels import Channel, spec_of
from exgs.protocol.transport import Receiver

MAX_MESSAGE_BYTES = 1 + max(spec_of(channel).max_message_bytes for channel in Channel)
"""A longer one ends the session."""
_CHANNELS = (Channel.CONTROL, Channel.POSE, Channel.SCENE_0)
"""Most urgent first. There are no further links."""
_DRAINED_BYTES = 32 << 10
_POSES_WAITING = 4
_CLOSE_TIMEOUT_S = 2.0


class Socket(Protocol):
    """What aiohttp's two ends of a WebSocket have in common."""

    async def receive(self) -> aiohttp.WSMessage:
        """The next message."""

    async def send_bytes(self, data: bytes) -> None:
        """Waits while the connection is full."""

    async def close(self) -> bool:
        """Says goodbye and lets go."""

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """About what lies below."""


class WebSocketTransport:
    """One end of a WebSocket that is open."""

    def __init__(self, opened: Socket) -> None:
        """Must run inside the event loop."""
        self._socket = opened
        self._receiver: Receiver | None = None
        self._waiting: dict[Channel, deque[bytes]] = {channel: deque() for channel in _CHANNELS}
        self._wake = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._lost = False
        _keep_little_unsent(opened.get_extra_info("socket"))

    def attach(self, receiver: Receiver) -> None:
        """See Transport."""
        self._receiver = receiver
        loop = asyncio.get_running_loop()
        receiver.transport_opened()
        self._tasks = [loop.create_task(self._read(receiver)), loop.create_task(self._write(receiver))]

    def send(self, channel: Channel, data: bytes) -> None:
        """See Transport."""
        if self._lost or channel not in self._waiting:
            return
        lane = self._waiting[channel]
        if channel is Channel.POSE and len(lane) >= _POSES_WAITING:
            lane.popleft()
        lane.append(data)
        self._wake.set()

    def buffered_bytes(self, channel: Channel) -> int:
        """See Transport."""
        return sum(map(len, self._waiting.get(channel, ())))

    def scene_channels(self) -> tuple[Channel, ...]:
        """See Transport."""
        return (Channel.SCENE_0,)

    async def close(self) -> None:
        """See Transport."""
        self._lose("closed here")
        own = asyncio.current_task()
        for task in self._tasks:
            if task is not own:
                task.cancel()
        try:
            await asyncio.wait_for(self._socket.close(), _CLOSE_TIMEOUT_S)
        except (TimeoutError, ConnectionError, aiohttp.ClientError, RuntimeError):
            return  # the peer, or what lies below, is gone already

    async def _read(self, receiver: Receiver) -> None:
        while not self._lost:
            message = await self._socket.receive()
            if message.type is aiohttp.WSMsgType.BINARY and message.data and message.data[0] in _CHANNELS:
                receiver.message_arrived(Channel(message.data[0]), message.data[1:])
            elif message.type in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                receiver.message_arrived(Channel.CONTROL, b"")  # no message at all, which ends the session
            else:
                self._lose("the WebSocket was closed")

    async def _write(self, receiver: Receiver) -> None:
        while not self._lost:
            channel = next((channel for channel in _CHANNELS if self._waiting[channel]), None)
            if channel is None:
                self._wake.clear()
                await self._wake.wait()
                continue
            data = self._waiting[channel].popleft()
            try:
                await self._socket.send_bytes(bytes((channel,)) + data)
            except (ConnectionError, aiohttp.ClientError, RuntimeError):
                self._lose("the WebSocket broke")
                return
            if channel is Channel.SCENE_0 and self.buffered_bytes(channel) < _DRAINED_BYTES:
                receiver.transport_drained()

    def _lose(self, reason: str) -> None:
        if self._lost:
            return
        self._lost = True
        self._wake.set()
        if self._receiver is not None:
            self._receiver.transport_lost(reason)


def _keep_little_unsent(below: socket.socket | None) -> None:
    """Asks the system to take little more than it can send now, so that what waits stays here, in order."""
    if below is not None and hasattr(socket, "TCP_NOTSENT_LOWAT"):
        below.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _DRAINED_BYTES)

"""The server's queue of scene bytes: little in it, spread over the links as they have room."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from exgs.protocol.channels import Channel, channels_of_link, spec_of
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.credit import Credit
from exgs.protocol.errors import LocalProtocolError, RemoteProtocolError
from exgs.protocol.fragments import fragment_size
from exgs.protocol.messages import ChunkFragment, ManifestFragment, Receipt
from exgs.protocol.vocabulary import (
    MAX_CHUNK_BYTES,
    MAX_CHUNKS,
    MAX_MANIFEST_BYTES,
    MAX_OPEN_CHUNKS,
    CloseCode,
)
from exgs.protocol.wire import serialize

_MODULUS = 1 << 16
_PACE_SLACK_S = 0.02


@dataclass
class _Load:
    """A manifest (chunk None) or a chunk, on its way out."""

    chunk: int | None
    data: bytes
    offset: int = 0


class Outflow:
    """Chunks on their way out, bound late: there is room for the next one only when the last has left.

    A link is full from ``high_water_bytes`` unsent until it is back below ``low_water_bytes``; the count is
    the transport's, plus what was handed out since it was told.
    """

    def __init__(self, config: ConnectionConfig) -> None:
        self.credit = Credit(config)
        """Bytes sent, taken and allowed."""
        self.scene = -1
        """The opened scene; -1 for none."""
        self.max_bytes_per_s = 0
        """Rate the client allows; 0 for no bound."""
        self.channels: tuple[Channel, ...] = (Channel.SCENE_0,)
        """Scene channels that are up."""
        self._config = config
        self._opening = 0
        self._queue: deque[_Load] = deque()
        self._said = bytearray(MAX_CHUNKS // 8)
        self._open_chunks = 0
        self._manifest_said = False
        self._buffered: dict[Channel, int] = dict.fromkeys(Channel, 0)
        self._full_links: set[int] = set()
        self._pace_s = float("-inf")

    def open(self, scene: int, have: bytes = b"") -> None:
        """The owner turns to a scene that the client asked for; what is left of the one before is dropped.

        ``have`` is the bitmap of OpenScene: those chunks count as sent.
        """
        self._opening = (self._opening + 1) % _MODULUS
        self.scene = scene
        self._manifest_said = False
        self._said = bytearray(have.ljust(MAX_CHUNKS // 8, b"\0"))
        self._open_chunks = 0
        self._queue.clear()

    def clear(self) -> None:
        """Nothing more is to be sent."""
        self._queue.clear()

    def queue_manifest(self, scene: int, data: bytes) -> bool:
        """Queues the preamble; False where ``scene`` is not the one that is open."""
        if not 0 < len(data) <= MAX_MANIFEST_BYTES:
            raise LocalProtocolError(f"manifest of {len(data)} bytes, expected 1 to {MAX_MANIFEST_BYTES}")
        if scene != self.scene or self._manifest_said:
            return False
        self._manifest_said = True
        self._queue.append(_Load(None, bytes(data)))
        return True

    def queue_chunk(self, scene: int, chunk: int, data: bytes) -> bool:
        """Queues a chunk; False where ``scene`` is not open or the chunk was queued before."""
        if not 0 <= chunk < MAX_CHUNKS or not 0 < len(data) <= MAX_CHUNK_BYTES:
            raise LocalProtocolError(
                f"chunk {chunk} of {len(data)} bytes, "
                f"expected an id below {MAX_CHUNKS} and 1 to {MAX_CHUNK_BYTES} bytes"
            )
        if scene != self.scene or self._was_said(chunk):
            return False
        if not self._manifest_said:
            raise LocalProtocolError(f"chunk {chunk} before the manifest of scene {scene}")
        self._said[chunk >> 3] |= 1 << (chunk & 7)
        self._open_chunks += 1
        self._queue.append(_Load(chunk, bytes(data)))
        return True

    def receipt(self, receipt: Receipt, now_s: float) -> tuple[int, ...]:
        """The client's receipt; gives the chunks of the open scene that it confirms."""
        self.credit.receipt(receipt.taken_bytes, now_s)
        if receipt.opening != self._opening:
            return ()
        strange = next((chunk for chunk in receipt.chunks if not self._was_said(chunk)), None)
        if strange is not None:
            raise RemoteProtocolError(
                f"receipt for chunk {strange}, which was not sent", close_code=CloseCode.VIOLATION
            )
        self._open_chunks = max(0, self._open_chunks - len(receipt.chunks))
        return receipt.chunks

    def set_buffered(self, channel: Channel, n_bytes: int) -> None:
        """What the transport holds unsent."""
        self._buffered[channel] = n_bytes
        self._mark(spec_of(channel).link)

    def room(self, rtt_s: float | None, now_s: float) -> bool:
        """Whether one more chunk should be chosen now."""
        return (
            self._manifest_said
            and self.queued_bytes == 0
            and self._open_chunks < MAX_OPEN_CHUNKS
            and now_s >= self._pace_s
            and self._next_channel() is not None
            and self.credit.open_bytes < self.credit.window(rtt_s, now_s)
        )

    def ready_s(self, now_s: float) -> float | None:
        """When the client's rate allows more; None where the rate is not in the way."""
        return self._pace_s if self._pace_s > now_s else None

    @property
    def queued_bytes(self) -> int:
        """Bytes queued here and not handed out."""
        return sum(len(load.data) - load.offset for load in self._queue)

    def fragments(self, rtt_s: float | None, now_s: float) -> Iterator[tuple[Channel, bytes]]:
        """What may leave now."""
        window = self.credit.window(rtt_s, now_s)
        while self._queue and now_s >= self._pace_s:
            load = self._queue[0]
            size = fragment_size(load.offset, len(load.data))
            channel = self._next_channel()
            if channel is None or self.credit.open_bytes + size > window:
                return
            yield channel, self._cut(load, size)
            self._count(channel, size, now_s)
            if load.offset == len(load.data):
                self._queue.popleft()

    def _cut(self, load: _Load, size: int) -> bytes:
        payload = load.data[load.offset : load.offset + size]
        where = (load.offset, len(load.data), payload)
        load.offset += size
        if load.chunk is None:
            return serialize(ManifestFragment(self._opening, *where))
        return serialize(ChunkFragment(self._opening, load.chunk, *where))

    def _count(self, channel: Channel, size: int, now_s: float) -> None:
        self.credit.sent_bytes += size
        self._buffered[channel] += size
        self._mark(spec_of(channel).link)
        if self.max_bytes_per_s:
            self._pace_s = max(self._pace_s, now_s - _PACE_SLACK_S) + size / self.max_bytes_per_s

    def _mark(self, link: int) -> None:
        unsent = self._unsent(link)
        if unsent >= self._config.high_water_bytes:
            self._full_links.add(link)
        elif unsent < self._config.low_water_bytes:
            self._full_links.discard(link)

    def _unsent(self, link: int) -> int:
        return sum(self._buffered[spec.channel] for spec in channels_of_link(link))

    def _next_channel(self) -> Channel | None:
        """The scene channel whose link has the most room; None where all are full."""
        open_channels = [
            channel for channel in self.channels if spec_of(channel).link not in self._full_links
        ]
        return min(open_channels, key=lambda channel: self._unsent(spec_of(channel).link), default=None)

    def _was_said(self, chunk: int) -> bool:
        return bool(self._said[chunk >> 3] & (1 << (chunk & 7)))

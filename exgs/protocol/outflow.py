"""The server's queue of scene bytes: little in it, spread over the links as they have room."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from exgs.protocol.channels import Channel
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.credit import Credit
from exgs.protocol.delays import Delays
from exgs.protocol.errors import LocalProtocolError, RemoteProtocolError
from exgs.protocol.fragments import Load
from exgs.protocol.lanes import Lanes
from exgs.protocol.limiter import Limiter
from exgs.protocol.messages import ChunkFragment, Forgotten, ManifestFragment, OpenScene, Receipt
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


class Outflow:
    """Chunks on their way out, bound late: there is room for the next one only when the last has left.

    What has left is kept until the client confirms it: fragments that went by a link which was lost, or
    carries nothing any more, are sent again by another.
    """

    def __init__(self, config: ConnectionConfig) -> None:
        self.credit = Credit(config)
        """Bytes sent, taken and allowed."""
        self.lanes = Lanes(config)
        """The scene channels."""
        self.delays = Delays()
        """How long fragments take on each."""
        self.scene = -1
        """The opened scene; -1 for none."""
        self.repeated_bytes = 0
        """Bytes that were sent a second time."""
        self._opening = 0
        self._queue: deque[Load] = deque()
        self._under_way: dict[int | None, Load] = {}
        self._forgotten: set[int] = set()
        self._said = bytearray(MAX_CHUNKS // 8)
        self._have = b""
        self._manifest_said = False
        self._max_bytes_per_s, self._pace_s = 0, float("-inf")

    def allow(self, max_bytes_per_s: int) -> None:
        """The client allows this rate from now on, 0 for any; what left at another does not count."""
        if max_bytes_per_s != self._max_bytes_per_s:
            self._max_bytes_per_s, self._pace_s = max_bytes_per_s, float("-inf")

    def open(self, wish: OpenScene) -> None:
        """The owner turns to a scene that the client asked for; what is left of the one before is dropped."""
        self._opening = (self._opening + 1) % _MODULUS
        self.scene = wish.scene
        self._manifest_said = False
        self._have = wish.have if wish.manifest else b""
        self._said = bytearray(MAX_CHUNKS // 8)
        self._forgotten.clear()
        self.clear()

    def clear(self) -> None:
        """Nothing more is to be sent."""
        self._queue.clear()
        self._under_way.clear()

    def queue_manifest(self, scene: int, data: bytes) -> bool:
        """Queues the preamble; False where ``scene`` is not the one that is open."""
        if not 0 < len(data) <= MAX_MANIFEST_BYTES:
            raise LocalProtocolError(f"manifest of {len(data)} bytes, expected 1 to {MAX_MANIFEST_BYTES}")
        if scene != self.scene or self._manifest_said:
            return False
        self._manifest_said = True
        self._queue_load(Load(None, bytes(data)))
        return True

    def keep_manifest(self, scene: int) -> bool:
        """The client's manifest is the right one: chunks that it has count as sent."""
        if scene != self.scene or self._manifest_said:
            return False
        self._manifest_said = True
        self._said = bytearray(self._have.ljust(MAX_CHUNKS // 8, b"\0"))
        return True

    def queue_chunk(self, scene: int, chunk: int, data: bytes) -> bool:
        """Queues a chunk; False where ``scene`` is not open or the chunk was queued before."""
        if not 0 <= chunk < MAX_CHUNKS or not 0 < len(data) <= MAX_CHUNK_BYTES:
            raise LocalProtocolError(
                f"chunk {chunk} of {len(data)} bytes, "
                f"expected an id below {MAX_CHUNKS} and 1 to {MAX_CHUNK_BYTES} bytes"
            )
        if scene != self.scene or (self._was_said(chunk) and chunk not in self._forgotten):
            return False
        if not self._manifest_said:
            raise LocalProtocolError(f"chunk {chunk} before the manifest of scene {scene}")
        self._said[chunk >> 3] |= 1 << (chunk & 7)
        self._forgotten.discard(chunk)
        self._queue_load(Load(chunk, bytes(data)))
        return True

    def forget(self, forgotten: Forgotten) -> None:
        """The client has let go of chunks: they may be sent once more."""
        if forgotten.scene == self.scene:
            self._forgotten.update(chunk for chunk in forgotten.chunks if self._was_said(chunk))

    def receipt(self, receipt: Receipt, now_s: float, *, quiet_s: float | None = None) -> tuple[int, ...]:
        """The client's receipt; gives the chunks of the open scene that it confirms.

        ``quiet_s`` is the quietest round trip, None where it is not known.
        """
        self.credit.receipt(receipt.taken_bytes, now_s)
        self.credit.lost(-self.lanes.arrived(receipt.arrived_bytes, now_s, quiet_s=quiet_s))
        self.delays.arrived(receipt.arrived_bytes, now_s)
        if receipt.opening != self._opening:
            return ()
        strange = next((chunk for chunk in receipt.chunks if not self._was_said(chunk)), None)
        if strange is not None:
            raise RemoteProtocolError(
                f"receipt for chunk {strange}, which was not sent", close_code=CloseCode.VIOLATION
            )
        for chunk in receipt.chunks:
            self._confirm(chunk)
        if receipt.chunks:
            self._confirm(None)  # no chunk is taken before the manifest is whole
        return receipt.chunks

    def set_channels(self, channels: tuple[Channel, ...]) -> None:
        """The scene channels that are up; what was under way on one that is gone is sent again."""
        for channel in self.lanes.set_up(channels):
            if channel is not Channel.SCENE_0:
                self._send_again(channel)

    def watch(self, now_s: float) -> None:
        """Sends again what lies on channels that carry nothing any more."""
        for channel in self.lanes.newly_stalled(now_s):
            self._send_again(channel)

    def room(self, rtt_s: float | None, now_s: float) -> bool:
        """Whether one more chunk should be chosen now."""
        return (
            self._manifest_said
            and self.queued_bytes == 0
            and len(self._under_way) - (None in self._under_way) < MAX_OPEN_CHUNKS
            and now_s >= self._pace_s
            and self.lanes.roomiest() is not None
            and self.credit.open_bytes < self.credit.window(rtt_s, now_s)
        )

    def limiter(self, rtt_s: float | None, now_s: float) -> Limiter:
        """What keeps more from leaving now."""
        waiting = self._queue[0].next_size if self._queue else 1
        if self._pace_s > now_s:
            return Limiter.CAP
        if self.credit.open_bytes + waiting > self.credit.window(rtt_s, now_s):
            return Limiter.CREDIT
        if self.lanes.roomiest() is None:
            return Limiter.LINK
        return Limiter.OWNER

    def ready_s(self, now_s: float) -> float | None:
        """When the client's rate allows more; None where the rate is not in the way."""
        return self._pace_s if self._pace_s > now_s else None

    @property
    def queued_bytes(self) -> int:
        """Bytes queued here and not handed out."""
        return sum(load.pending_bytes for load in self._queue)

    def fragments(self, rtt_s: float | None, now_s: float) -> Iterator[tuple[Channel, bytes]]:
        """What may leave now."""
        window = self.credit.window(rtt_s, now_s)
        while self._queue and now_s >= self._pace_s:
            load = self._queue[0]
            channel = self.lanes.roomiest()
            if channel is None or self.credit.open_bytes + load.next_size > window:
                return
            offset, payload = load.cut(channel)
            self._count(channel, len(payload), now_s)
            if not load.pending:
                self._queue.popleft()
            yield channel, self._fragment(load, offset, payload)

    def _fragment(self, load: Load, offset: int, payload: bytes) -> bytes:
        where = (offset, len(load.data), payload)
        if load.chunk is None:
            return serialize(ManifestFragment(self._opening, *where))
        return serialize(ChunkFragment(self._opening, load.chunk, *where))

    def _queue_load(self, load: Load) -> None:
        self._queue.append(load)
        self._under_way[load.chunk] = load

    def _confirm(self, chunk: int | None) -> None:
        load = self._under_way.pop(chunk, None)
        if load is not None and load.pending:
            self._queue.remove(load)

    def _send_again(self, channel: Channel) -> None:
        """What went by ``channel`` and is not confirmed goes to the queue's head, and costs no credit."""
        self.credit.lost(self.lanes.give_up(channel))
        for load in reversed(self._under_way.values()):
            waited = bool(load.pending)
            self.repeated_bytes += load.take_back(channel)
            if load.pending and not waited:
                self._queue.appendleft(load)

    def _count(self, channel: Channel, size: int, now_s: float) -> None:
        self.credit.sent_bytes += size
        self.lanes.sent(channel, size, now_s)
        self.delays.sent(channel, size, now_s)
        if self._max_bytes_per_s:
            self._pace_s = max(self._pace_s, now_s - _PACE_SLACK_S) + size / self._max_bytes_per_s

    def _was_said(self, chunk: int) -> bool:
        return bool(self._said[chunk >> 3] & (1 << (chunk & 7)))

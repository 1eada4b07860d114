"""The client's account of scene bytes: what arrived, what was taken, what to confirm."""

from __future__ import annotations

from exgs.protocol.channels import SCENE_CHANNELS, Channel
from exgs.protocol.config import ConnectionConfig
from exgs.protocol.credit import RateMeter
from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.events import ChunkReceived, ManifestReceived
from exgs.protocol.fragments import Pieces
from exgs.protocol.messages import ChunkFragment, Forgotten, ManifestFragment, OpenScene, Receipt
from exgs.protocol.vocabulary import (
    MAX_CHUNKS,
    MAX_HELD_BYTES,
    MAX_OPEN_CHUNKS,
    MAX_RECEIPT_CHUNKS,
    CloseCode,
)

_MODULUS = 1 << 16
_MANY_BYTES = 32 << 10
"""Where so much arrives at once, a receipt costs little and helps the server to keep up."""


class Intake:
    """Puts the fragments of the newest opening together; late ones of earlier openings are dropped.

    A byte is *held* from its arrival until its chunk is taken by the owner; all others that arrived are
    confirmed to the server, which so learns how fast the owner really takes chunks.
    """

    def __init__(self, config: ConnectionConfig) -> None:
        self.arrived_bytes = 0
        """Payload that arrived since the session began."""
        self.held_bytes = 0
        """Of these, what is in chunks that are incomplete or not yet taken."""
        self.redundant_bytes = 0
        """Of these, what was here before: fragments that the server moved to another link."""
        self._config = config
        self._arrived = dict.fromkeys(SCENE_CHANNELS, 0)
        self._meter = RateMeter()
        self._opening = 0
        self._scene = -1
        self._receipt_s = float("-inf")
        self._confirmed_bytes = self._reported_bytes = 0
        self._taken_chunks: list[int] = []
        self._forget()

    def _forget(self) -> None:
        self._manifest: Pieces | None = None
        self._manifest_done = self._keeps = False
        self._open: dict[int, Pieces] = {}
        self._complete = bytearray(MAX_CHUNKS // 8)
        self._early: list[ChunkReceived] = []
        self._untaken = 0

    def open(self, wish: OpenScene) -> None:
        """A scene is asked for; whatever belongs to the one before is let go."""
        self._opening = (self._opening + 1) % _MODULUS
        self._scene = wish.scene
        self.held_bytes = 0
        self._taken_chunks.clear()
        self._forget()
        self._keeps = bool(wish.manifest)

    def keep_manifest(self, scene: int) -> list[ChunkReceived]:
        """The server says that the manifest named in OpenScene holds; gives the chunks that came before."""
        if scene != self._scene or not self._keeps or self._manifest_done:
            return []
        return self._manifest_is_here()

    def arrived_on(self, channel: Channel, size: int) -> None:
        """Counts payload by the channel that brought it."""
        self._arrived[channel] += size

    def manifest_fragment(
        self, fragment: ManifestFragment, now_s: float
    ) -> list[ManifestReceived | ChunkReceived]:
        """What the fragment completes: the manifest, and the chunks that overtook it."""
        if not self._is_current(fragment.opening, len(fragment.payload), now_s):
            return []
        if self._manifest_done:
            self._drop(len(fragment.payload))
            return []
        if self._manifest is None:
            self._manifest = Pieces(fragment.total)
        if self._manifest.has(fragment.offset):
            self._drop(len(fragment.payload))
        data = self._manifest.add(fragment.offset, fragment.total, fragment.payload)
        if data is None:
            return []
        return [ManifestReceived(self._scene, data), *self._manifest_is_here()]

    def chunk_fragment(self, fragment: ChunkFragment, now_s: float) -> list[ManifestReceived | ChunkReceived]:
        """The chunk that the fragment completes, if any and if the manifest is here."""
        if not self._is_current(fragment.opening, len(fragment.payload), now_s):
            return []
        if self._is_here(fragment):
            self._drop(len(fragment.payload))
            return []
        self._make_room(fragment)
        pieces = self._open.setdefault(fragment.chunk, Pieces(fragment.total))
        data = pieces.add(fragment.offset, fragment.total, fragment.payload)
        self.held_bytes += len(fragment.payload)
        if data is None:
            return []
        del self._open[fragment.chunk]
        self._complete[fragment.chunk >> 3] |= 1 << (fragment.chunk & 7)
        self._untaken += 1
        received = ChunkReceived(self._scene, fragment.chunk, data)
        if self._manifest_done:
            return [received]
        self._early.append(received)
        return []

    def _is_current(self, opening: int, size: int, now_s: float) -> bool:
        """Counts a fragment; whether it answers the newest OpenScene."""
        if 0 < (opening - self._opening) % _MODULUS < _MODULUS // 2:
            raise _violation("fragment of a scene that was not opened")
        if self._scene < 0:
            raise _violation("fragment before any scene was opened")
        self.arrived_bytes += size
        self._meter.add(self.arrived_bytes, now_s)
        return opening == self._opening

    def _manifest_is_here(self) -> list[ChunkReceived]:
        self._manifest, self._manifest_done = None, True
        early, self._early = self._early, []
        return early

    def _is_here(self, fragment: ChunkFragment) -> bool:
        """Whether the fragment, or its whole chunk, came before."""
        if self._complete[fragment.chunk >> 3] & (1 << (fragment.chunk & 7)):
            return True
        pieces = self._open.get(fragment.chunk)
        return pieces is not None and pieces.has(fragment.offset)

    def _drop(self, size: int) -> None:
        """Counts what came twice; a server that only repeats itself is shown the door."""
        self.redundant_bytes += size
        if self.redundant_bytes > max(MAX_HELD_BYTES, self.arrived_bytes // 2):
            raise _flood(f"{self.redundant_bytes} bytes sent twice")

    def _make_room(self, fragment: ChunkFragment) -> None:
        if fragment.chunk not in self._open and len(self._open) + self._untaken >= MAX_OPEN_CHUNKS:
            raise _flood(f"more than {MAX_OPEN_CHUNKS} chunks under way")
        if self.held_bytes + len(fragment.payload) > MAX_HELD_BYTES:
            raise _flood(f"more than {MAX_HELD_BYTES} bytes sent without credit")

    def forget(self, forgotten: Forgotten) -> None:
        """The owner lets go of chunks that it took: they may come again."""
        if forgotten.scene == self._scene:
            for chunk in forgotten.chunks:
                self._complete[chunk >> 3] &= ~(1 << (chunk & 7))

    def take(self, chunk: ChunkReceived) -> None:
        """The owner takes a chunk."""
        self.held_bytes -= len(chunk.data)
        self._untaken -= 1
        self._taken_chunks.append(chunk.chunk)

    def rate(self, now_s: float) -> float:
        """Arriving bytes per second."""
        return self._meter.rate(now_s)

    def receipt_due_s(self) -> float | None:
        """When a receipt is due; None while there is nothing to tell."""
        fresh = self.arrived_bytes - self._reported_bytes
        if fresh >= _MANY_BYTES:
            return self._receipt_s + self._config.busy_receipt_s
        if fresh or self._taken_chunks or self.arrived_bytes - self.held_bytes > self._confirmed_bytes:
            return self._receipt_s + self._config.receipt_s
        return None

    def receipt(self, now_s: float) -> Receipt:
        """What is to be confirmed, said now."""
        self._receipt_s = now_s
        self._confirmed_bytes = self.arrived_bytes - self.held_bytes
        self._reported_bytes = self.arrived_bytes
        chunks = tuple(self._taken_chunks[:MAX_RECEIPT_CHUNKS])
        del self._taken_chunks[:MAX_RECEIPT_CHUNKS]
        return Receipt(self._opening, self._confirmed_bytes, chunks, tuple(self._arrived.values()))


def _violation(wrong: str) -> RemoteProtocolError:
    return RemoteProtocolError(wrong, close_code=CloseCode.VIOLATION)


def _flood(wrong: str) -> RemoteProtocolError:
    return RemoteProtocolError(wrong, close_code=CloseCode.FLOOD)

"""Manifests and chunks cut into messages, and put together again."""

from __future__ import annotations

from collections import deque

from exgs.protocol.channels import Channel
from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.vocabulary import FRAGMENT_BYTES, CloseCode


def fragment_size(offset: int, total: int) -> int:
    """Bytes of the piece that begins at ``offset`` of ``total``: a whole one, or what is left."""
    return min(FRAGMENT_BYTES, total - offset)


class Load:
    """A manifest (chunk None) or a chunk on its way out, until the client confirms it."""

    def __init__(self, chunk: int | None, data: bytes) -> None:
        self.chunk, self.data = chunk, data
        self.pending = deque(range(0, len(data), FRAGMENT_BYTES))
        """Offsets of the pieces that wait to leave."""
        self._sent: dict[int, Channel] = {}

    @property
    def next_size(self) -> int:
        """Bytes of the piece that leaves next."""
        return fragment_size(self.pending[0], len(self.data))

    @property
    def pending_bytes(self) -> int:
        """Bytes that wait to leave."""
        return sum(fragment_size(offset, len(self.data)) for offset in self.pending)

    def cut(self, channel: Channel) -> tuple[int, bytes]:
        """The next piece and its offset; it leaves on ``channel``."""
        size, offset = self.next_size, self.pending.popleft()
        self._sent[offset] = channel
        return offset, self.data[offset : offset + size]

    def take_back(self, channel: Channel) -> int:
        """Lets the pieces that left on ``channel`` wait again; gives their bytes."""
        lost = [offset for offset, way in self._sent.items() if way is channel]
        for offset in lost:
            del self._sent[offset]
        self.pending.extend(lost)
        return sum(fragment_size(offset, len(self.data)) for offset in lost)


class Pieces:
    """One manifest or chunk under way. Pieces lie on a fixed grid, so none can overlap another."""

    def __init__(self, total: int) -> None:
        self.total = total
        """Bytes of the whole."""
        self.held_bytes = 0
        """Bytes that are here."""
        self._by_offset: dict[int, bytes] = {}

    def has(self, offset: int) -> bool:
        """Whether the piece at ``offset`` is here."""
        return offset in self._by_offset

    def add(self, offset: int, total: int, payload: bytes) -> bytes | None:
        """Puts a piece in its place, or drops it where it was here before; gives the whole once complete.

        Raises:
            RemoteProtocolError: the piece is off the grid, of the wrong size, or disagrees about the total.
        """
        if total != self.total:
            raise _refused(f"total changed from {self.total} to {total} bytes")
        if offset % FRAGMENT_BYTES or offset >= total:
            raise _refused(f"piece at {offset} of {total} bytes")
        if len(payload) != fragment_size(offset, total):
            raise _refused(
                f"{len(payload)} bytes at {offset} of {total}, expected {fragment_size(offset, total)}"
            )
        if offset in self._by_offset:
            return None
        self._by_offset[offset] = payload
        self.held_bytes += len(payload)
        if self.held_bytes < self.total:
            return None
        return b"".join(piece for _, piece in sorted(self._by_offset.items()))


def _refused(wrong: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"fragment: {wrong}", close_code=CloseCode.VIOLATION)

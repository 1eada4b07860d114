"""Manifests and chunks cut into messages, and put together again."""

from __future__ import annotations

from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.vocabulary import FRAGMENT_BYTES, CloseCode


def fragment_size(offset: int, total: int) -> int:
    """Bytes of the piece that begins at ``offset`` of ``total``: a whole one, or what is left."""
    return min(FRAGMENT_BYTES, total - offset)


class Pieces:
    """One manifest or chunk under way. Pieces lie on a fixed grid, so none can overlap another."""

    def __init__(self, total: int) -> None:
        self.total = total
        """Bytes of the whole."""
        self.held_bytes = 0
        """Bytes that are here."""
        self._by_offset: dict[int, bytes] = {}

    def add(self, offset: int, total: int, payload: bytes) -> bytes | None:
        """Puts a piece in its place; gives the whole once it is complete.

        Raises:
            RemoteProtocolError: the piece is off the grid, of the wrong size, was here before, or disagrees
                about the total.
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
            raise _refused(f"piece at {offset} sent twice")
        self._by_offset[offset] = payload
        self.held_bytes += len(payload)
        if self.held_bytes < self.total:
            return None
        return b"".join(piece for _, piece in sorted(self._by_offset.items()))


def _refused(wrong: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"fragment: {wrong}", close_code=CloseCode.VIOLATION)

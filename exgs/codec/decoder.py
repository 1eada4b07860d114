"""Files as they arrive: bytes in, chunks out as soon as they are complete."""

from __future__ import annotations

from dataclasses import dataclass

from exgs.codec.assembly import Assembly
from exgs.codec.chunks import decode_chunk
from exgs.codec.errors import Truncated
from exgs.codec.header import PREFIX_BYTES, Preamble, parse_preamble, preamble_size
from exgs.codec.manifest import ChunkInfo
from exgs.scene import Gaussians


@dataclass(frozen=True, eq=False)
class DecodedChunk:
    """A chunk whose bytes were complete."""

    info: ChunkInfo
    """Its entry in the manifest."""
    gaussians: Gaussians
    """Its splats."""


class Decoder:
    """Decodes a file fed in order, in pieces of any size. After an error it is of no further use."""

    def __init__(self) -> None:
        self.preamble: Preamble | None = None
        """Header and manifest, once their bytes are complete."""
        self._buffer = bytearray()
        self._next = 0

    @property
    def complete(self) -> bool:
        """Whether every chunk was decoded."""
        return self.preamble is not None and self._next == len(self.preamble.chunks)

    def feed(self, data: bytes | memoryview) -> list[DecodedChunk]:
        """Takes the next bytes of the file; gives the chunks that they complete.

        Raises:
            DecodeError: the bytes are damaged, or there are bytes after the last chunk.
        """
        self._buffer += data
        if self.preamble is None:
            self._try_preamble()
        if self.preamble is None:
            return []
        return self._chunks(self.preamble)

    def finish(self) -> None:
        """Says that no more bytes come.

        Raises:
            Truncated: the file is not complete.
        """
        held = len(self._buffer)
        if self.preamble is None:
            raise Truncated("the bytes end before the preamble does", section="preamble", offset=held)
        if not self.complete:
            self.preamble.check_length(self.preamble.chunks[self._next].offset + held)

    def _try_preamble(self) -> None:
        if len(self._buffer) < PREFIX_BYTES:
            return
        size = preamble_size(bytes(self._buffer[:PREFIX_BYTES]))
        if len(self._buffer) >= size:
            self.preamble = parse_preamble(bytes(self._buffer[:size]))
            del self._buffer[:size]

    def _chunks(self, preamble: Preamble) -> list[DecodedChunk]:
        done, start = [], 0
        while self._next < len(preamble.chunks):
            info = preamble.chunks[self._next]
            stop = start + info.size_bytes
            if stop > len(self._buffer):
                break
            gaussians = decode_chunk(preamble, info.id, bytes(self._buffer[start:stop]))
            done.append(DecodedChunk(info, gaussians))
            self._next, start = self._next + 1, stop
        del self._buffer[:start]
        if self._next == len(preamble.chunks):
            preamble.check_length(preamble.file_bytes + len(self._buffer))
        return done


def decode(data: bytes | memoryview, max_bytes: int | None = None) -> Gaussians:
    """The scene in a file, or in its first ``max_bytes`` bytes as a viewer who has received those sees it.

    Raises:
        DecodeError: the bytes are damaged; or, without ``max_bytes``, incomplete. A prefix too short for the
            preamble is ``Truncated``.
    """
    decoder = Decoder()
    prefix = memoryview(data) if max_bytes is None else memoryview(data)[: max(max_bytes, 0)]
    chunks = decoder.feed(prefix)
    if max_bytes is None or decoder.preamble is None:
        decoder.finish()
    assert decoder.preamble is not None
    assembly = Assembly(decoder.preamble)
    for chunk in chunks:
        assembly.add(chunk.info.id, chunk.gaussians)
    return assembly.gaussians()

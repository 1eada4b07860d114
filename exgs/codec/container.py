"""A whole file in memory: its preamble, and each chunk as a view of its bytes."""

from __future__ import annotations

from dataclasses import dataclass

from exgs.codec.header import Header, Preamble, parse_preamble
from exgs.codec.manifest import ChunkInfo


@dataclass(frozen=True, eq=False)
class Container:
    """A file whose preamble was checked; the checksum of a chunk is checked when it is decoded."""

    parsed: Preamble
    """Header and manifest."""
    data: memoryview
    """The whole file."""

    @property
    def header(self) -> Header:
        """What holds for the whole file."""
        return self.parsed.header

    @property
    def manifest(self) -> tuple[ChunkInfo, ...]:
        """One entry per chunk, in file order."""
        return self.parsed.chunks

    @property
    def shown(self) -> int:
        """How many splats show once every chunk is there."""
        return sum(chunk.count - chunk.replaced for chunk in self.manifest)

    @property
    def preamble(self) -> bytes:
        """The bytes of header and manifest."""
        return bytes(self.data[: self.parsed.size_bytes])

    def chunk(self, id: int) -> memoryview:
        """The bytes of one chunk."""
        info = self.manifest[id]
        return self.data[info.offset : info.offset + info.size_bytes]


def open_container(data: bytes | memoryview) -> Container:
    """Opens a whole file.

    Raises:
        DecodeError: the preamble is damaged, chunks are missing, or something follows the last one.
    """
    parsed = parse_preamble(data)
    parsed.check_length(len(data))
    return Container(parsed, memoryview(data))

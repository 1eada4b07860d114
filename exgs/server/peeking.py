"""What a file on disk says of itself, without opening all of it."""

from __future__ import annotations

from pathlib import Path

from exgs.codec import DecodeError, parse_preamble
from exgs.codec.header import PREFIX_BYTES, preamble_size


def shown_splats(path: Path) -> int:
    """How many splats a .ugc file shows once every chunk is there; 0 where its first bytes are unusable."""
    try:
        with path.open("rb") as file:
            prefix = file.read(PREFIX_BYTES)
            preamble = parse_preamble(prefix + file.read(preamble_size(prefix) - PREFIX_BYTES))
    except (OSError, DecodeError):
        return 0
    return sum(chunk.count - chunk.replaced for chunk in preamble.chunks)

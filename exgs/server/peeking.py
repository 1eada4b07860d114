"""What a file on disk says of itself, without opening all of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from exgs.codec import DecodeError, parse_preamble
from exgs.codec.header import PREFIX_BYTES, preamble_size


@dataclass(frozen=True)
class Peeked:
    """What the first bytes of a .ugc file and its length tell."""

    splats: int = 0
    """How many it shows once every chunk is there; 0 where that is not known."""
    fault: str = ""
    """Why it cannot be opened; empty where nothing speaks against that."""
    lasting: bool = True
    """Whether another look at the same bytes would find the same: not where they could not be read."""


def peek(path: Path) -> Peeked:
    """Looks at the .ugc file at ``path``; chunks may be damaged all the same, which only decoding tells."""
    try:
        with path.open("rb") as file:
            prefix = file.read(PREFIX_BYTES)
            preamble = parse_preamble(prefix + file.read(preamble_size(prefix) - PREFIX_BYTES))
            preamble.check_length(os.fstat(file.fileno()).st_size)
    except DecodeError as error:
        return Peeked(fault=str(error))
    except OSError as error:
        return Peeked(fault=error.strerror or "it cannot be read", lasting=False)
    return Peeked(sum(chunk.count - chunk.replaced for chunk in preamble.chunks))

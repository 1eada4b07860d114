"""What a scene on disk says of itself, without reading all of it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from exgs.codec import DecodeError, parse_preamble
from exgs.codec.header import PREFIX_BYTES, preamble_size
from exgs.scene import SceneError
from exgs.scene.read import open_scene
from exgs.server.catalogue import SceneEntry


@dataclass(frozen=True)
class Peeked:
    """What the first bytes of a scene and its length tell."""

    splats: int = 0
    """How many a .ugc file shows once every chunk is there; 0 where that is not known, and of other files."""
    fault: str = ""
    """Why it cannot be opened; empty where nothing speaks against that."""
    lasting: bool = True
    """Whether another look at the same bytes would find the same: not where they could not be read."""


def peek(entry: SceneEntry) -> Peeked:
    """Looks at the header of a scene; what comes behind it may be damaged all the same.

    Of a folder of views nothing is read.
    """
    if entry.views:
        return Peeked()
    try:
        return Peeked(_shown(entry.path)) if entry.encoded else _source(entry.path)
    except (DecodeError, SceneError) as error:
        return Peeked(fault=str(error).replace(f"{entry.path.parent}{os.sep}", ""))
    except OSError as error:
        return Peeked(fault=error.strerror or "it cannot be read", lasting=False)


def _shown(path: Path) -> int:
    """Gaussians that the .ugc file at ``path`` shows once all of it is there."""
    with path.open("rb") as file:
        prefix = file.read(PREFIX_BYTES)
        preamble = parse_preamble(prefix + file.read(preamble_size(prefix) - PREFIX_BYTES))
        preamble.check_length(os.fstat(file.fileno()).st_size)
    return sum(chunk.count - chunk.replaced for chunk in preamble.chunks)


def _source(path: Path) -> Peeked:
    """The fault, if there is one, of what is to be encoded."""
    empty = open_scene(path).count == 0
    return Peeked(fault=f"{path.name}: a scene without Gaussians" if empty else "")

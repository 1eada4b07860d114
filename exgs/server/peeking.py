"""What a scene on disk says of itself, without reading all of it."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from exgs.codec import DecodeError, parse_preamble
from exgs.codec.header import PREFIX_BYTES, preamble_size
from exgs.scene import SceneError
from exgs.scene.read import open_scene
from exgs.server.catalogue import SceneEntry
from exgs.server.errors import without_folder


@dataclass(frozen=True)
class Peeked:
    """What the first bytes of a scene and its length tell."""

    splats: int = 0
    """How many a .ugc file shows once every chunk is there; 0 where that is not known, and of other files."""
    fault: str = ""
    """Why it cannot be opened; empty where nothing speaks against that."""
    lasting: bool = True
    """Whether another look at the same bytes would find the same: not where they could not be read."""


class Peeks:
    """What was seen of scenes, each looked at once. Lives on one event loop; reads disks in threads."""

    def __init__(self) -> None:
        self._seen: dict[str, Peeked] = {}
        self._looking = asyncio.Lock()

    async def look(self, entries: Iterable[SceneEntry]) -> None:
        """Looks at those that nobody looked at yet; who asks meanwhile waits, and looks at the rest."""
        async with self._looking:
            unseen = [entry for entry in entries if not self._knows(entry.stamp)]
            if unseen:
                found = await asyncio.to_thread(lambda: [peek(entry) for entry in unseen])
                self._seen.update(zip((entry.stamp for entry in unseen), found, strict=True))

    def of(self, entry: SceneEntry) -> Peeked:
        """What was seen of it; nothing where nobody looked."""
        return self._seen.get(entry.stamp, Peeked())

    def forget_vanished(self, stamps: set[str]) -> None:
        """Keeps what was seen of scenes with ``stamps``, which are those that there are."""
        for gone in self._seen.keys() - stamps:
            del self._seen[gone]

    def _knows(self, stamp: str) -> bool:
        return stamp in self._seen and self._seen[stamp].lasting


def peek(entry: SceneEntry) -> Peeked:
    """Looks at the header of a scene; what comes behind it may be damaged all the same.

    Of a folder of views nothing is read.
    """
    if entry.views:
        return Peeked()
    try:
        return Peeked(_shown(entry.path)) if entry.encoded else _source(entry.path)
    except (DecodeError, SceneError) as error:
        return Peeked(fault=without_folder(str(error), entry.path.parent))
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

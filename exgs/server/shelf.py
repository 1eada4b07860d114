"""Scenes that are open: ready to be streamed, shared by all who watch, kept for the next within bounds."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from hashlib import sha256
from weakref import WeakValueDictionary

from exgs.codec import Container
from exgs.codec.worth import ChunkTable
from exgs.protocol.vocabulary import MAX_CHUNKS, MAX_MANIFEST_BYTES
from exgs.server.errors import SceneFailed
from exgs.server.sight import Scouted

KEEP_OPEN_BYTES = 512 << 20
"""Scenes that nobody watches stay open up to this much in all, the least recently opened go first."""


@dataclass(frozen=True, eq=False)
class OpenedScene:
    """A scene ready to be streamed; shared by all who watch it."""

    name: str
    """What it is called."""
    container: Container
    """Its bytes and manifest."""
    table: ChunkTable
    """Its manifest as the scheduler reads it."""
    digest: bytes
    """SHA-256 of its preamble, by which viewers name what they have."""
    scouted: Scouted = field(default_factory=Scouted)
    """What is found out about it while it is served."""


def opened(name: str, container: Container) -> OpenedScene:
    """The scene, if the protocol can carry it.

    Raises:
        SceneFailed: it cannot.
    """
    preamble, chunks = len(container.preamble), len(container.manifest)
    if preamble > MAX_MANIFEST_BYTES or chunks > MAX_CHUNKS:
        raise SceneFailed(
            f"{chunks} chunks with a manifest of {preamble} bytes, at most {MAX_CHUNKS} and "
            f"{MAX_MANIFEST_BYTES} can be streamed"
        )
    digest = sha256(container.preamble).digest()
    return OpenedScene(name, container, ChunkTable(container.manifest), digest)


class Shelf:
    """Open scenes by the stamp of what they are made from; those that somebody watches, and some more."""

    def __init__(self) -> None:
        self._open: WeakValueDictionary[str, OpenedScene] = WeakValueDictionary()
        self._kept: OrderedDict[str, OpenedScene] = OrderedDict()

    def get(self, stamp: str) -> OpenedScene | None:
        """The scene, where it is open."""
        return self._open.get(stamp)

    def keep(self, stamp: str, scene: OpenedScene) -> None:
        """Keeps the scene open for the next viewer, within bounds."""
        self._open[stamp] = self._kept[stamp] = scene
        self._kept.move_to_end(stamp)
        while len(self._kept) > 1 and self._kept_bytes() > KEEP_OPEN_BYTES:
            self._kept.popitem(last=False)

    def forget_vanished(self, stamps: set[str]) -> None:
        """Keeps for the next viewer only scenes with ``stamps``, which are those that there are."""
        for gone in self._kept.keys() - stamps:
            del self._kept[gone]

    def _kept_bytes(self) -> int:
        return sum(len(scene.container.data) for scene in self._kept.values())

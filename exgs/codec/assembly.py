"""The scene as it shows while chunks come and go."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exgs.codec.header import Preamble
from exgs.scene import Gaussians


@dataclass(frozen=True)
class Piece:
    """A run of splats of one chunk."""

    chunk: int
    """Id of the chunk."""
    start: int
    """First splat."""
    stop: int
    """The one after the last."""


class Assembly:
    """Resident chunks and the cut through their tree that shows.

    A chunk shows once its parent shows and it is resident itself; it then hides the splats of the parent that
    it replaces. So every snapshot covers the scene once, without holes, whichever chunks are there.
    Not safe for calls from several threads at once; snapshots are immutable and may be handed to any thread.
    """

    def __init__(self, preamble: Preamble) -> None:
        """An empty assembly of the file with this preamble."""
        self._header = preamble.header
        self._chunks = preamble.chunks
        self._resident: dict[int, Gaussians] = {}
        self._children: dict[int, list[int]] = {}
        for chunk in preamble.chunks:
            self._children.setdefault(chunk.parent, []).append(chunk.id)
        for siblings in self._children.values():
            siblings.sort(key=lambda id: self._chunks[id].first)
        self._snapshot: Gaussians | None = None

    def add(self, id: int, gaussians: Gaussians) -> None:
        """Makes chunk ``id`` resident, in any order; adding it again changes nothing.

        Raises:
            ValueError: there is no such chunk, or the splats are not as many as the manifest says.
        """
        if not 0 <= id < len(self._chunks) or len(gaussians) != self._chunks[id].count:
            raise ValueError(f"chunk {id} with {len(gaussians)} splats is not in the manifest")
        if id not in self._resident:
            self._resident[id] = gaussians
            self._snapshot = None

    def remove(self, id: int) -> None:
        """Forgets chunk ``id``; the splats it replaced show again, chunks below it wait."""
        if self._resident.pop(id, None) is not None:
            self._snapshot = None

    def __contains__(self, id: int) -> bool:
        return id in self._resident

    def ancestors(self, id: int) -> Iterator[int]:
        """Ids of the chunks above chunk ``id``: its parent first, one of the coarsest level last."""
        while (id := self._chunks[id].parent) >= 0:
            yield id

    @property
    def resident(self) -> frozenset[int]:
        """Ids of the chunks that are there."""
        return frozenset(self._resident)

    @property
    def visible(self) -> tuple[int, ...]:
        """Ids of the chunks that show, coarser ones first."""
        return tuple(sorted(id for id, _ in self._shown()))

    @property
    def visible_splats(self) -> int:
        """Splats that show."""
        return sum(stop - start for _, ranges in self._shown() for start, stop in ranges)

    def shown(self) -> list[Piece]:
        """The runs of splats that show, in the order in which they stand in ``gaussians``."""
        return [Piece(id, start, stop) for id, ranges in self._shown() for start, stop in ranges]

    def splats(self, piece: Piece) -> Gaussians:
        """The splats of a run of a resident chunk."""
        whole = self._resident[piece.chunk]
        if (piece.start, piece.stop) == (0, len(whole)):
            return whole
        return whole.select(slice(piece.start, piece.stop))

    def gaussians(self) -> Gaussians:
        """The scene as it now shows; the same object until a chunk comes or goes."""
        if self._snapshot is None:
            self._snapshot = self._gather()
        return self._snapshot

    def _gather(self) -> Gaussians:
        parts = [self.splats(piece) for piece in self.shown()]
        if not parts:
            return Gaussians.empty(self._header.sh_degree, self._header.frame)
        return parts[0] if len(parts) == 1 else Gaussians.concatenate(parts)

    def _shown(self) -> Iterator[tuple[int, list[tuple[int, int]]]]:
        """Every chunk that shows, parents first, with the ranges of its splats that are not replaced."""
        waiting = [id for id in reversed(self._children.get(-1, ())) if id in self._resident]
        while waiting:
            id = waiting.pop()
            children = [child for child in self._children.get(id, ()) if child in self._resident]
            yield id, self._gaps(id, children)
            waiting.extend(reversed(children))

    def _gaps(self, id: int, children: list[int]) -> list[tuple[int, int]]:
        ranges, start = [], 0
        for child in children:
            info = self._chunks[child]
            if info.first > start:
                ranges.append((start, info.first))
            start = info.first + info.replaced
        if start < self._chunks[id].count:
            ranges.append((start, self._chunks[id].count))
        return ranges

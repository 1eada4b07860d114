"""Which chunks to let go when there are more splats than the device can hold.

Room is made only for something better: where a chunk that is missing would save half as much error again per
byte as one that is here. The server then fills the room by the same measure (exgs/codec/worth.py). That
margin, and a bound on how much goes at once, keep chunks at the edge from going and coming without end.
"""

from __future__ import annotations

import numpy as np

from exgs.client.errors import ClientError
from exgs.codec import Preamble
from exgs.codec.worth import BUDGET_AHEAD_S, LINGER_S, ChunkTable
from exgs.scene.outlook import View, foresee

FULL_SHARE = 0.9
"""Below this share of the budget, and while any chunk has room, nothing is let go: the server sends more."""
AT_ONCE_SHARE = 1 / 16
"""Share of the budget that is let go at once for the sake of something better."""
BETTER = 1.5
"""A missing chunk must save this many times the error per byte of the one that goes for it."""


def least_splats(preamble: Preamble) -> int:
    """How many splats must be held for all of the scene to be shown, however coarsely."""
    return sum(chunk.count for chunk in preamble.chunks if chunk.parent < 0)


def check_budget(preamble: Preamble, max_splats: int) -> None:
    """Finds a budget in which nothing can be shown; 0 is none.

    Raises:
        ClientError: it is one.
    """
    least = least_splats(preamble)
    if 0 < max_splats < least:
        raise ClientError(
            f"{max_splats:,} splats may be held, but the scene's coarsest level alone has {least:,}: "
            "raise --max-splats"
        )


class Keeper:
    """Keeps what a viewer holds within ``max_splats``."""

    def __init__(self, preamble: Preamble, max_splats: int) -> None:
        self.max_splats = max_splats
        """Splats that may be held."""
        self._table = ChunkTable(preamble.chunks)

    def room_for(self, chunk: int, held: np.ndarray) -> bool:
        """Whether ``chunk`` may be taken too."""
        return bool(self._splats(held) + self._table.splats[chunk] <= self.max_splats)

    def choose(self, held: np.ndarray, view: View | None) -> list[int]:
        """Ids to let go of, children before their parents; ``held`` [N] bool is what is here.

        Chunks without a parent stay: without them there would be holes.
        """
        table, splats = self._table, self._splats(held)
        largest = int(table.splats.max(initial=0))
        if view is None or splats < min(FULL_SHARE * self.max_splats, self.max_splats - largest):
            return []
        known = np.maximum(table.parents, 0)
        leaves = held & (table.parents >= 0)
        leaves[table.parents[held & (table.parents >= 0)]] = False
        missing = ~held & (table.parents >= 0) & held[known]
        gone, wanted = self._ranked(leaves, view), self._ranked(missing, view)[::-1]
        return self._exchange(gone, wanted, self.max_splats - splats)

    def _exchange(
        self, gone: list[tuple[float, int]], wanted: list[tuple[float, int]], free: int
    ) -> list[int]:
        """Ids of ``gone`` that make room for what of ``wanted`` is better, each from its best on."""
        table, chosen, freed, needed = self._table, list[int](), 0, 0
        most = max(self.max_splats * AT_ONCE_SHARE, 1.0)
        for worth, chunk in wanted:
            needed += int(table.splats[chunk])
            if needed > max(most, table.splats[chunk]):
                break
            while free + freed < needed and len(chosen) < len(gone):
                least, leaf = gone[len(chosen)]
                if worth <= BETTER * least or leaf == table.parents[chunk]:
                    return chosen
                chosen.append(leaf)
                freed += int(table.splats[leaf])
        return chosen

    def _ranked(self, chosen: np.ndarray, view: View) -> list[tuple[float, int]]:
        """Error saved per byte and id of the ``chosen`` chunks, the least first."""
        ids = np.flatnonzero(chosen)
        worth = self._table.benefit(ids, foresee(view, BUDGET_AHEAD_S, linger_s=LINGER_S))
        order = np.lexsort((-ids, worth))
        return list(zip(worth[order].tolist(), ids[order].tolist(), strict=True))

    def _splats(self, held: np.ndarray) -> int:
        return int(self._table.splats[held].sum())

"""Which chunk a viewer needs next, decided as late as possible.

Candidates are the chunks whose parent was sent (or that have none) and that were not. An order says how much
each is wanted (orders.py). The same calls give the same chunks.

Asking is cheap however large the scene: a short list of the most wanted candidates is put in order anew for
each new view. All candidates are gone through only once as many chunks were asked for as pay for it, or when
the view has changed so much that nothing on the list is wanted as much as it was when the list was made.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from exgs.codec.worth import BUDGET_AHEAD_S, LINGER_S, ChunkTable
from exgs.scene.outlook import Outlook, View, foresee
from exgs.server.orders import ORDERS, Order
from exgs.server.sight import Scouted, Sight

DEFAULT_DELAY_S = 0.15
"""From a view on the client to a chunk for it on display, where nothing better is known."""
MAX_DELAY_S = 1.5
SHORT_LIST = 64
"""So many candidates are watched closely."""
STALE = 0.25
"""Once the view has moved, what is on the list may be wanted so much less than when the list was made."""
LOOKS_PER_CHUNK = 256
"""Candidates that may be looked at for each chunk that is asked for, in the long run."""


class Schedule:
    """The chunks that one viewer still needs."""

    def __init__(
        self,
        table: ChunkTable,
        *,
        held: Iterable[int] | np.ndarray = (),
        order: Order = ORDERS["error"],
        scouted: Scouted | None = None,
        view: View | None = None,
    ) -> None:
        """``held`` are the ids that the viewer already has; ids that do not exist are ignored.

        ``scouted`` is looked into anew for each chunk. ``view`` is where the viewer is supposed to look until
        it says so.
        """
        self._table, self._order, self._scouted = table, order, scouted or Scouted()
        self._sight: Sight | None = None
        self._all_splats = int(table.splats.sum())
        self._sent = np.zeros(table.count, bool)
        self._sent[_existing(held, table.count)] = True
        self._remaining = int((~self._sent).sum())
        self._splats = int(table.splats[self._sent].sum())
        self._view = view
        self._moved = False
        self._delay_s = DEFAULT_DELAY_S
        self._short = np.zeros(0, np.int64)
        self._lost = True

    @property
    def splats(self) -> int:
        """Gaussians of all chunks that the viewer holds or that are on their way to it."""
        return self._splats

    @property
    def remaining(self) -> int:
        """How many chunks are still to be sent."""
        return self._remaining

    def see(self, view: View) -> None:
        """Takes the newest head pose; the next chunk is chosen for it."""
        self._view, self._moved = view, True

    def next_chunk(self, *, max_splats: int | None = None, delay_s: float | None = None) -> int | None:
        """The id of the chunk to send now, which counts as sent from here on.

        ``delay_s`` is how long after the newest view a chunk sent now will be on display. None when all are
        sent, or when the viewer would hold more than ``max_splats`` with the most wanted one.
        """
        if not self._remaining:
            return None
        self._choose_measure(max_splats, delay_s)
        if self._lost:
            self._find_candidates()
        self._put_in_order()
        chunk_id = int(self._short[0])
        if max_splats is not None and self._splats + self._table.splats[chunk_id] > max_splats:
            return None
        self._short = self._short[1:]
        self._send(chunk_id)
        return chunk_id

    def forgotten(self, ids: Iterable[int]) -> None:
        """The viewer has let go of chunks that it had: they may be sent again."""
        gone = np.unique(_existing(ids, self._table.count))
        gone = gone[self._sent[gone]]
        self._sent[gone] = False
        self._remaining += len(gone)
        self._splats -= int(self._table.splats[gone].sum())
        self._lost = True

    def _choose_measure(self, max_splats: int | None, delay_s: float | None) -> None:
        """What chunks are worth is told by the scene's sight once there is one, for when they are there.

        Not for a viewer that cannot hold them all: it lets go by what the file says, of one moment ahead for
        all (client/eviction.py), and who sends by another measure would send that again.
        """
        holds_all = max_splats is None or max_splats >= self._all_splats
        if not holds_all:
            self._delay_s = BUDGET_AHEAD_S
        elif delay_s is not None:
            self._delay_s = min(max(delay_s, 0.0), MAX_DELAY_S)
        sight = self._scouted.sight if holds_all else None
        if sight is not self._sight:
            self._sight, self._lost = sight, True

    def _send(self, chunk_id: int) -> None:
        self._sent[chunk_id] = True
        self._remaining -= 1
        self._splats += int(self._table.splats[chunk_id])
        self._asked += 1
        children = self._table.children(chunk_id)
        if len(children):
            self._fresh.append(children[~self._sent[children]])

    def _find_candidates(self) -> None:
        """Everything that may be sent now, from scratch."""
        parents = self._table.parents
        ready = ~self._sent & ((parents < 0) | self._sent[np.maximum(parents, 0)])
        self._candidates = np.flatnonzero(ready)
        self._short = self._candidates[:0]
        self._fresh: list[np.ndarray] = []
        self._asked, self._least, self._stale = 0, -np.inf, False
        self._lost = False

    def _put_in_order(self) -> None:
        """The most wanted candidates, first in ``_short``: of all of them, or of those watched closely."""
        moved = self._moved and self._order.follows_head
        paid = self._asked * LOOKS_PER_CHUNK >= len(self._candidates)
        if not len(self._short) or (paid and (moved or self._stale)):
            self._watch()
        elif self._fresh or moved:
            ids = np.concatenate([self._short, *self._fresh])
            self._candidates = np.concatenate([self._candidates, *self._fresh])
            self._fresh.clear()
            self._stale |= moved
            least = self._rank(ids, self._least * STALE if self._stale else self._least)
            self._least = max(self._least, least)
        if not len(self._short):
            self._watch()
        self._moved = False

    def _watch(self) -> None:
        """Goes through all candidates for the ones to watch."""
        known = np.concatenate([self._candidates, *self._fresh])
        self._candidates = known[~self._sent[known]]
        self._fresh.clear()
        self._asked, self._stale = 0, False
        self._least = self._rank(self._candidates, -np.inf)

    def _rank(self, ids: np.ndarray, least: float) -> float:
        """Puts those of ``ids`` that are wanted as much as ``least`` in order; says how much the last is.

        What is wanted less than that may be wanted less than candidates that are not watched. Chunks without
        a parent come before all others: with them the viewer has a picture without holes.
        """
        roots = ids[self._table.parents[ids] < 0]
        ids = roots if len(roots) else ids
        wanted = self._order.wanted(self._table, ids, self._outlook(), self._sight)
        if len(ids) > SHORT_LIST:
            least = max(least, float(np.partition(wanted, len(ids) - SHORT_LIST)[len(ids) - SHORT_LIST]))
        kept = wanted >= least
        ids, wanted = ids[kept], wanted[kept]
        self._short = ids[np.lexsort((ids, -wanted))]
        return least

    def _outlook(self) -> Outlook | None:
        if self._view is None or not self._order.follows_head:
            return None
        return foresee(self._view, self._delay_s, linger_s=LINGER_S)


def _existing(ids: Iterable[int] | np.ndarray, count: int) -> np.ndarray:
    """Those of ``ids`` that are below ``count``."""
    known = np.fromiter(ids, np.int64) if not isinstance(ids, np.ndarray) else ids
    return known[(known >= 0) & (known < count)]

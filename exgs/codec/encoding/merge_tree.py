"""The order in which the Gaussians of a scene merge, pair by pair, the cheapest first: one binary tree.

Theory of operation. In every round each cluster looks among its nearest neighbours for the partner that
costs least (``pairing``), and pairs are taken in the order of their cost until a share ``SHARE`` of the
clusters has gone. Rounds depend on the scene alone, never on a count that is wanted: so the list of merges
that they leave behind serves every count, by its first so many entries.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.codec.encoding.leaves import Leaves
from exgs.codec.encoding.neighbours import inherit, nearest
from exgs.codec.encoding.pairing import ALPHA_WEIGHT, State, find_partners, match, merge_pairs
from exgs.raster.crew import Crew

NEIGHBOURS = 8
"""Nearest Gaussians among which each looks for a partner."""
SHARE = 0.2
"""Pairs merged in one round, of the Gaussians left: small enough that the cheapest go first."""
FRESH = 3
"""Rounds that neighbours serve: in between, a cluster has those of its halves."""
SMALL = 4096
"""So few clusters look for their neighbours in every round."""


@dataclass(frozen=True, eq=False)
class MergeTree:
    """N leaves and the N - 1 merges that make one cluster of them."""

    leaves: Leaves
    """The Gaussians at the bottom."""
    merges: np.ndarray
    """[N-1,2] int32 leaves: the cluster of the second's goes into that of the first's; both are the first
    leaves of their clusters."""
    cost: np.ndarray
    """[N-1] float32 squared picture error that each merge adds."""

    def __len__(self) -> int:
        return len(self.leaves)

    def __post_init__(self) -> None:
        assert len(self.merges) == len(self.cost) == len(self.leaves) - 1


def plan_merges(leaves: Leaves, crew: Crew) -> MergeTree:
    """Merges ``leaves`` until one cluster is left."""
    count = len(leaves)
    merges, cost = np.empty((count - 1, 2), np.int32), np.empty(count - 1, np.float32)
    state, leaf = _state(leaves), np.arange(count, dtype=np.int32)
    neighbours, age, done = np.empty((0, 0), np.int32), FRESH, 0
    while count > 1:
        if age == FRESH or count < SMALL:
            neighbours, age = nearest(state[0], min(NEIGHBOURS, count - 1), crew), 0
        pairs, costs = _choose(state, neighbours, crew)
        if len(pairs) == 0:
            age = FRESH
            continue
        rows = slice(done, done + len(pairs))
        place, halves = np.empty(count, np.int32), np.empty((count, 2), np.int32)
        count = merge_pairs(pairs, state, leaf, (merges[rows], place, halves))
        cost[rows] = costs
        state, leaf = tuple(array[:count] for array in state), leaf[:count]
        neighbours = _inherited(neighbours, place, halves[:count], state[0], crew)
        done, age = done + len(pairs), age + 1
    return MergeTree(leaves, merges, cost)


def _inherited(
    old: np.ndarray, place: np.ndarray, halves: np.ndarray, means: np.ndarray, crew: Crew
) -> np.ndarray:
    new = np.empty((len(means), old.shape[1]), np.int32)
    crew.share(inherit, [(a, b, (place, halves), old, means, new) for a, b in crew.parts(len(means))])
    return new


def _state(leaves: Leaves) -> State:
    rows = leaves.all_rows
    strength = np.einsum("nc,nc->n", rows.colors, rows.colors) + np.float32(ALPHA_WEIGHT)
    return rows.means, rows.covs, rows.mass, rows.amplitude, rows.colors, rows.footprint, strength


def _choose(state: State, neighbours: np.ndarray, crew: Crew) -> tuple[np.ndarray, np.ndarray]:
    """The pairs [M,2] int32 of one round and their costs [M], cheapest first; one pair at least."""
    count = len(state[0])
    partner, cost = np.empty(count, np.int32), np.empty(count, np.float32)
    crew.share(find_partners, [(a, b, neighbours, state, partner, cost) for a, b in crew.parts(count)])
    order = cheapest_first(cost)
    most = max(1, int(count * SHARE))
    pairs, costs = np.empty((most, 2), np.int32), np.empty(most, np.float32)
    found = match(order, partner, cost, pairs, costs)
    return pairs[:found], costs[:found]


def cheapest_first(cost: np.ndarray) -> np.ndarray:
    """[N] uint32 order of ``cost`` [N] float32, none of them negative; of equal ones the first comes first.

    The bits of such a number sort as an integer does, and its place below them tells equal ones apart:
    sorting integers takes a tenth of the time of ordering numbers.
    """
    keys = cost.view(np.uint32).astype(np.uint64) << np.uint64(32)
    keys |= np.arange(len(cost), dtype=np.uint64)
    keys.sort()
    return keys.astype(np.uint32)

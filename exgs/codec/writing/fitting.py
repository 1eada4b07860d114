"""Chooses tables for counted symbols: which contexts share one, and how each is spelt."""

from __future__ import annotations

import numpy as np

from exgs.codec.entropy.tables import (
    BETA,
    COARSE,
    COARSE_WEIGHTS,
    FINE,
    MAX_TABLES,
    SINGLE,
    TOTAL,
    Family,
    Table,
    fine_weight,
    table_bits,
)

_BETAS = (4, 6, 8, 10, 12, 16, 20, 24, 32)
"""Parameters of the beta-binomial that are tried, in sixteenths."""
_FINE_WEIGHTS = np.array([fine_weight(digit) for digit in range(256)], np.float64)
_COARSE = np.array(COARSE_WEIGHTS, np.float64)
_ESTIMATED_BITS_PER_DIGIT = 5
"""What a table's digit counts for while contexts are grouped: between those of coarse and of fine tables."""


def fit_family(counts: np.ndarray) -> Family:
    """Tables for one family from its ``counts`` [contexts, symbols]: the fewest bits, tables included."""
    counts = counts.astype(np.float64)
    groups = _merge(counts)
    used = [members for members in groups if counts[members].sum() > 0] or [list(range(len(counts)))]
    used.sort(key=lambda members: members[0])
    chosen = [0] * len(counts)
    for index, members in enumerate(used):
        for member in members:
            chosen[member] = index
    return Family(tuple(_spell(counts[members].sum(axis=0)) for members in used), tuple(chosen))


def fit_splits(counts: np.ndarray) -> Family:
    """Tables for the splits: a shared beta-binomial, and a table of its own for each context that gains."""
    shared = min((Table(BETA, (beta,)) for beta in _BETAS), key=lambda table: _all_bits(counts, table))
    tables, chosen = [shared], [0] * len(counts)
    for context, row in enumerate(counts):
        if row.sum() == 0 or len(tables) == MAX_TABLES:
            continue
        own = _spell(row)
        gain = _coded_bits(row, shared, context) - _coded_bits(row, own, 0) - table_bits(own)
        if gain > 0:
            chosen[context] = len(tables)
            tables.append(own)
    return Family(tuple(tables), tuple(chosen))


def coded_bits(family: Family, counts: np.ndarray) -> float:
    """Bits that the counted symbols take."""
    return sum(
        _coded_bits(row, family.tables[family.map[context]], context)
        for context, row in enumerate(counts)
        if row.sum() > 0
    )


def _all_bits(counts: np.ndarray, table: Table) -> float:
    """Bits of the contexts that ``table`` can code; the others need tables of their own."""
    costs = (_coded_bits(row, table, context) for context, row in enumerate(counts) if row.sum() > 0)
    return sum(cost for cost in costs if np.isfinite(cost))


def _coded_bits(row: np.ndarray, table: Table, context: int) -> float:
    frequencies = np.zeros(len(row))
    spelt = table.frequencies(context)
    frequencies[: len(spelt)] = spelt[: len(row)]
    present = row > 0
    if not frequencies[present].all():
        return float("inf")
    return float((row[present] * np.log2(TOTAL / frequencies[present])).sum())


def _spell(row: np.ndarray) -> Table:
    """The cheapest spelling of one table for these counts."""
    present = np.flatnonzero(row)
    if len(present) <= 1:
        return Table(SINGLE, (int(present[0]) if len(present) else 0,))
    row = row[: present[-1] + 1]
    coarse = Table(COARSE, _digits(row, _COARSE))
    fine = Table(FINE, _digits(row, _FINE_WEIGHTS))
    return min((coarse, fine), key=lambda table: _coded_bits(row, table, 0) + table_bits(table))


def _digits(row: np.ndarray, weights: np.ndarray) -> tuple[int, ...]:
    """For each count the digit whose weight is nearest in ratio, the largest count at the largest weight."""
    scaled = np.maximum(row * (weights[-1] / row.max()), weights[1])
    edges = np.sqrt(weights[1:-1] * weights[2:])
    digits = np.searchsorted(edges, scaled) + 1
    return tuple(int(digit) for digit in np.where(row > 0, digits, 0))


def _merge(counts: np.ndarray) -> list[list[int]]:
    """Groups of contexts: the pair whose union saves most is united until no union saves."""
    groups: list[list[int]] = [[context] for context in range(len(counts))]
    rows = counts.copy()
    costs = _estimate(rows)
    gains = costs[:, None] + costs[None] - np.stack([_estimate(rows + row) for row in rows])
    np.fill_diagonal(gains, -np.inf)
    for left in range(len(counts), 1, -1):
        first, second = divmod(int(gains.argmax()), len(rows))
        if gains[first, second] < 0 and left <= MAX_TABLES:
            break
        first, second = min(first, second), max(first, second)
        groups[first] += groups[second]
        groups[second] = []
        rows[first] += rows[second]
        costs[first] = _estimate(rows[first])
        gone = np.array([not members for members in groups])
        gains[first] = gains[:, first] = costs[first] + costs - _estimate(rows + rows[first])
        gains[gone], gains[:, gone], gains[first, first] = -np.inf, -np.inf, -np.inf
    return [members for members in groups if members]


def _estimate(rows: np.ndarray) -> np.ndarray:
    """[...] bits of ``rows`` [..., symbols] coded by tables of their own, tables included."""
    totals = rows.sum(axis=-1)
    entropy = totals * np.log2(np.maximum(totals, 1)) - (rows * np.log2(np.maximum(rows, 1))).sum(axis=-1)
    last = ((rows > 0) * np.arange(1, rows.shape[-1] + 1)).max(axis=-1)
    return np.asarray(entropy + np.where(totals > 0, 8 + last * _ESTIMATED_BITS_PER_DIGIT, 0))

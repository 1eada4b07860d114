"""Counts the symbols of a file: for its frequency tables, and to say where its bytes go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exgs.codec.entropy.events import SYMBOLS, context_of, raw_count_of, symbol_of
from exgs.codec.entropy.tables import MAX_SYMBOLS, Family
from exgs.codec.kernel import kernel
from exgs.codec.model import CONTEXTS, FAMILIES, SECTION_OF_FAMILY
from exgs.codec.writing.fitting import coded_bits

SECTIONS = ("positions", "scales", "rotations", "opacity", "colour", "SH")
"""Sections of the chunks."""


def count_events(events: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """[contexts, symbols] int64 how often each was coded, [contexts] int64 raw bits under each context."""
    counts, raw_bits = np.zeros((CONTEXTS, SYMBOLS), np.int64), np.zeros(CONTEXTS, np.int64)
    for part in events:
        _count(part, counts, raw_bits)
    return counts[:, :MAX_SYMBOLS], raw_bits


@kernel
def _count(events: np.ndarray, counts: np.ndarray, raw_bits: np.ndarray) -> None:
    for event in events:
        context, symbol = context_of(event), symbol_of(event)
        if symbol >= 0:
            counts[context, symbol] += 1
        raw_bits[context] += raw_count_of(event)


def section_bytes(
    families: Sequence[Family], counts: np.ndarray, raw_bits: np.ndarray, total_bytes: int
) -> dict[str, int]:
    """Bytes of each section; framing is shared out so that they add up to ``total_bytes``."""
    bits = dict.fromkeys(SECTIONS, 0.0)
    start = 0
    for (name, size), family in zip(FAMILIES, families, strict=True):
        rows = slice(start, start + size)
        bits[SECTION_OF_FAMILY[name]] += coded_bits(family, counts[rows]) + float(raw_bits[rows].sum())
        start += size
    scale = total_bytes / max(sum(bits.values()), 1.0)
    shares = {name: int(value * scale) for name, value in bits.items()}
    shares["positions"] += total_bytes - sum(shares.values())
    return shares

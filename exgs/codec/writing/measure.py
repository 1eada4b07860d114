"""Counts the symbols of a file: for its frequency tables, and to say where its bytes go."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exgs.codec.entropy.tables import MAX_SYMBOLS, Family
from exgs.codec.model import CONTEXTS, FAMILIES, SECTION_OF_FAMILY
from exgs.codec.writing.fitting import coded_bits

SECTIONS = ("positions", "scales", "rotations", "opacity", "colour", "SH")
"""Sections of the chunks."""


def count_events(events: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """[contexts, symbols] int64 how often each was coded, [contexts] int64 raw bits under each context."""
    counts = np.zeros(CONTEXTS * 64, np.int64)
    raw_bits = np.zeros(CONTEXTS, np.int64)
    for part in events:
        coded = part[(part >> 21) & 1 == 1]
        counts += np.bincount((coded & 1023) * 64 + ((coded >> 10) & 63), minlength=len(counts))
        raw = np.bincount(part & 1023, weights=(part >> 16) & 31, minlength=CONTEXTS)
        raw_bits += raw.astype(np.int64)
    return counts.reshape(CONTEXTS, 64)[:, :MAX_SYMBOLS], raw_bits


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

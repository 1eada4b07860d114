"""Entries of the manifest as they stand in the file: differences and all, in bits.

Spec: docs/bitstream.md, Manifest
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from exgs.codec.entropy.bits import BitReader, BitWriter, fold, golomb_bits
from exgs.codec.limits import MAX_RUNS

MIN_WORDS = 4
"""The two states of the entropy coder."""
CHECKSUM_BYTES = 4
"""At the end of every chunk."""
ORDERS = ("replaced", "count", "words", "importance", "run", "base")
"""Fields whose order of the Golomb code the manifest gives."""


@dataclass(frozen=True, eq=False)
class Entry:
    """The fields of one entry as they stand in the file, differences and all."""

    place: int
    """In the order of the file."""
    parent_step: int
    """Tile of the parent less that of the chunk before."""
    gap: int
    """First splat that it replaces, less the end of the range before if that has the same parent."""
    replaced: int
    """Splats of the parent that it replaces."""
    count: int
    """Splats."""
    words: int
    """16-bit words of the entropy coder."""
    importance: int
    """In quarter octaves, less that of the chunk before."""
    runs: tuple[int, ...]
    """Splats of all runs but the last."""
    bits: tuple[int, ...]
    """[3] bits of the lattice less those of the chunk before."""
    parts: tuple[int, ...]
    """[3] sixteenths of the lattice, less nine, that the box of the means takes."""
    base: tuple[int, ...]
    """[3] corner of the lattice less that of the chunk before, in its own units."""


def parse_entry(bits: BitReader, orders: dict[str, int], width: int, *, coarsest: bool) -> Entry:
    """Reads an entry; its place takes ``width`` bits."""
    place = bits.bits(width)
    parent_step, gap, replaced = 0, 0, 0
    if not coarsest:
        parent_step, gap = bits.golomb(0), bits.golomb(0)
        replaced = bits.golomb(orders["replaced"]) + 1
    count, words = bits.golomb(orders["count"]) + 1, bits.golomb(orders["words"]) + MIN_WORDS
    importance = bits.signed(orders["importance"])
    runs = bits.golomb(0)
    if runs >= MAX_RUNS:
        raise bits.reader.corrupt("M5", f"{runs + 1} runs, at most {MAX_RUNS}")
    return Entry(
        place,
        parent_step,
        gap,
        replaced,
        count,
        words,
        importance,
        tuple(bits.golomb(orders["run"]) for _ in range(runs)),
        tuple(bits.signed(0) for _ in range(3)),
        tuple(bits.bits(3) for _ in range(3)),
        tuple(bits.signed(orders["base"]) for _ in range(3)),
    )


def write_entry(bits: BitWriter, orders: dict[str, int], width: int, entry: Entry, *, coarsest: bool) -> None:
    """Writes an entry for ``parse_entry``."""
    bits.bits(entry.place, width)
    if not coarsest:
        bits.golomb(entry.parent_step, 0)
        bits.golomb(entry.gap, 0)
        bits.golomb(entry.replaced - 1, orders["replaced"])
    bits.golomb(entry.count - 1, orders["count"])
    bits.golomb(entry.words - MIN_WORDS, orders["words"])
    bits.signed(entry.importance, orders["importance"])
    bits.golomb(len(entry.runs), 0)
    for run in entry.runs:
        bits.golomb(run, orders["run"])
    for change in entry.bits:
        bits.signed(change, 0)
    for part in entry.parts:
        bits.bits(part, 3)
    for change in entry.base:
        bits.signed(change, orders["base"])


def best_orders(entries: list[Entry]) -> dict[str, int]:
    """The order for each field with which all its values take the fewest bits."""
    values = {
        "replaced": [max(entry.replaced - 1, 0) for entry in entries],
        "count": [entry.count - 1 for entry in entries],
        "words": [entry.words - MIN_WORDS for entry in entries],
        "importance": [fold(entry.importance) for entry in entries],
        "run": [run for entry in entries for run in entry.runs],
        "base": [fold(change) for entry in entries for change in entry.base],
    }
    counts = {name: Counter(values[name]).items() for name in ORDERS}
    return {
        name: min(
            range(22), key=lambda order: sum(n * golomb_bits(value, order) for value, n in counts[name])
        )
        for name in ORDERS
    }

"""Frequency tables: how the preamble spells them, and what the coder makes of them.

Every family of contexts has a few tables and a map from its contexts to them. A table is a single symbol, a
row of coarse weights, a row of fine weights, or, for splits, a beta-binomial distribution with one
parameter.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb

import numpy as np

from exgs.codec.entropy.bits import BitReader, BitWriter
from exgs.codec.entropy.rans import BUCKET_BITS, FIELD_BITS, FIRST_ENTRY, ROW, SCALE_BITS, SYMBOL_AT
from exgs.codec.fields import FieldReader, FieldWriter

TOTAL = 1 << SCALE_BITS
MAX_SYMBOLS = 42
"""Symbols of a table."""
MAX_TABLES = 32
"""Tables of a family."""
SINGLE, COARSE, FINE, BETA = range(4)
"""Kinds of tables."""
COARSE_WEIGHTS = (0, 1, 2, 3, 4, 6, 9, 13, 19, 28, 41, 60, 88, 129, 190, 280)
"""What the sixteen digits of a coarse table stand for."""
BETA_CONTEXTS = 15
"""Contexts of splits with a beta-binomial of their own, of 2 to 16 splats; the others share that of 17.

The last of the own ones is the context of cells of 16 to 31 splats, whose symbol 17 it cannot code.
"""


@dataclass(frozen=True)
class Table:
    """One table as the preamble spells it."""

    kind: int
    """SINGLE, COARSE, FINE or BETA."""
    digits: tuple[int, ...]
    """The symbol; the digit of each symbol; or the parameter in sixteenths."""

    def frequencies(self, context: int = 0) -> list[int]:
        """Frequencies that add up to ``TOTAL``; ``context`` within the family matters to BETA alone."""
        if self.kind == SINGLE:
            return [0] * self.digits[0] + [TOTAL]
        if self.kind == COARSE:
            return normalised([COARSE_WEIGHTS[digit] for digit in self.digits])
        if self.kind == FINE:
            return normalised([fine_weight(digit) for digit in self.digits])
        return normalised(beta_binomial(self.digits[0], min(context + 2, BETA_CONTEXTS + 2)))


@dataclass(frozen=True)
class Family:
    """The tables of one family of contexts."""

    tables: tuple[Table, ...]
    """At least one."""
    map: tuple[int, ...]
    """Table of each context."""


@dataclass(frozen=True, eq=False)
class Coder:
    """What the decoder's kernel looks up."""

    tables: np.ndarray
    """[T,ROW] int64 rows as rans.py describes them."""
    table_of: np.ndarray
    """[contexts] int64 table of each context."""


def fine_weight(digit: int) -> int:
    """What the digit 0 to 255 of a fine table stands for: four bits after the leading one."""
    return (16 + (digit & 15)) << (digit >> 4) if digit else 0


def beta_binomial(parameter: int, count: int) -> list[int]:
    """Weights of 0 to ``count`` splats in the lower half, with ``parameter`` sixteenths of prior a half."""
    rising = [1]
    for index in range(count):
        rising.append(rising[-1] * (parameter + 16 * index))
    return [comb(count, k) * rising[k] * rising[count - k] for k in range(count + 1)]


def normalised(weights: Sequence[int]) -> list[int]:
    """Frequencies that add up to ``TOTAL``, at least one where the weight is not zero."""
    total = sum(weights)
    frequencies = [max(weight * TOTAL // total, 1) if weight else 0 for weight in weights]
    largest = max(range(len(weights)), key=lambda index: (frequencies[index], -index))
    frequencies[largest] += TOTAL - sum(frequencies)
    return frequencies


def build(families: Sequence[Family]) -> Coder:
    """Look-up tables for all contexts, family after family."""
    rows: dict[tuple[int, ...], int] = {}
    table_of = []
    for family in families:
        for context, index in enumerate(family.map):
            row = tuple(family.tables[index].frequencies(context))
            table_of.append(rows.setdefault(row, len(rows)))
    tables = np.empty((len(rows), ROW), np.int64)
    for index, row in enumerate(rows):
        _fill_row(np.array(row, np.int64), tables[index])
    return Coder(tables, np.array(table_of, np.int64))


def _fill_row(counts: np.ndarray, out: np.ndarray) -> None:
    """Entries from the frequencies of a table, as rans.py describes them."""
    symbols = np.arange(ROW - FIRST_ENTRY)
    firsts = np.full(len(symbols) + 3, TOTAL)
    firsts[: len(counts)] = np.cumsum(counts) - counts
    entries = symbols << SYMBOL_AT
    for place in range(4):
        entries |= firsts[place : place + len(symbols)] << FIELD_BITS * place
    out[:FIRST_ENTRY] = entries[np.repeat(np.arange(len(counts)), counts)[:: 1 << BUCKET_BITS]]
    out[FIRST_ENTRY:] = entries


def parse_families(reader: FieldReader, sizes: Sequence[int]) -> tuple[Family, ...]:
    """One family for each of ``sizes``, the numbers of contexts.

    Spec: docs/bitstream.md, Frequency tables
    """
    bits = BitReader(reader)
    families = tuple(_parse_family(bits, size, beta_allowed=not index) for index, size in enumerate(sizes))
    bits.finish()
    return families


def serialize_families(writer: FieldWriter, families: Sequence[Family]) -> None:
    """Writes ``families`` for ``parse_families``."""
    bits = BitWriter()
    for family in families:
        bits.bits(len(family.tables) - 1, 5)
        width = (len(family.tables) - 1).bit_length()
        for index in family.map:
            bits.bits(index, width)
        for table in family.tables:
            _serialize_table(bits, table)
    bits.flush(writer)


def table_bits(table: Table) -> int:
    """Bits that a table takes in the preamble."""
    if table.kind in (SINGLE, BETA):
        return 2 + (6 if table.kind == SINGLE else 8)
    return 8 + len(table.digits) * (4 if table.kind == COARSE else 8)


def _parse_family(bits: BitReader, size: int, *, beta_allowed: bool) -> Family:
    count = bits.bits(5) + 1
    width = (count - 1).bit_length()
    chosen = tuple(bits.bits(width) for _ in range(size))
    if max(chosen) >= count:
        raise bits.reader.corrupt("M14", f"table {max(chosen)} of {count}")
    return Family(tuple(_parse_table(bits, beta_allowed=beta_allowed) for _ in range(count)), chosen)


def _parse_table(bits: BitReader, *, beta_allowed: bool) -> Table:
    kind = bits.bits(2)
    if kind == BETA:
        parameter = bits.bits(8)
        if not beta_allowed or parameter == 0:
            raise bits.reader.corrupt("M14", "a beta-binomial that cannot be")
        return Table(BETA, (parameter,))
    last = bits.bits(6)
    if last >= MAX_SYMBOLS:
        raise bits.reader.corrupt("M14", f"symbol {last}, at most {MAX_SYMBOLS - 1}")
    if kind == SINGLE:
        return Table(SINGLE, (last,))
    digits = tuple(bits.bits(4 if kind == COARSE else 8) for _ in range(last + 1))
    if digits[-1] == 0:
        raise bits.reader.corrupt("M14", "the last symbol of a table has no weight")
    return Table(kind, digits)


def _serialize_table(bits: BitWriter, table: Table) -> None:
    bits.bits(table.kind, 2)
    if table.kind == BETA:
        bits.bits(table.digits[0], 8)
    elif table.kind == SINGLE:
        bits.bits(table.digits[0], 6)
    else:
        bits.bits(len(table.digits) - 1, 6)
        for digit in table.digits:
            bits.bits(digit, 4 if table.kind == COARSE else 8)

"""Range asymmetric numeral systems: two interleaved 32-bit states, 12-bit frequencies, 16-bit words.

Symbols go to the two states in turn, raw bits as well. The encoder walks backwards and its last states come
first in the bytes; the decoder walks forwards and ends in the states the encoder began with. Source: J.
Duda, "Asymmetric numeral systems", 2013.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.entropy.events import context_of, raw_count_of, raw_of, symbol_of
from exgs.codec.kernel import inlined, kernel, unsigned, wide

SCALE_BITS = 12
"""Frequencies of a table add up to 2^12."""
LOWEST = 1 << 16
"""States lie between this and 2^32; both begin here in the encoder."""
BUCKET_BITS = 5
"""A row of the tables starts with an entry for each bucket of 2^5 slots: for the symbol at its first slot."""
FIRST_ENTRY = 1 << (SCALE_BITS - BUCKET_BITS)
"""From here on a row has an entry for each symbol, and for three more that are never coded."""
ROW = FIRST_ENTRY + 48
"""Length of a row, which stays in the cache."""
FIELD_BITS = 13
"""An entry is the first slots of four symbols, from the lowest bits up, and the first of these symbols."""
SYMBOL_AT = 4 * FIELD_BITS
"""Where the symbol stands in an entry."""

_SLOTS = (1 << SCALE_BITS) - 1
_FIELD = (1 << FIELD_BITS) - 1


@inlined
def next_symbol(
    words: np.ndarray, tables: np.ndarray, row: int, a: int, b: int, at: int
) -> tuple[int, int, int, int]:
    """The next symbol, by a row of ``tables``; then the states in their new turn and the next word.

    States and place go in and out as scalars, so that they stay in registers. Nothing branches on what is
    hard to foretell. Past the end of ``words`` the last one is read again.
    """
    slot = a & _SLOTS
    entry = tables[unsigned(row), unsigned(slot >> BUCKET_BITS)]
    while entry >> 3 * FIELD_BITS & _FIELD <= slot:
        entry = tables[unsigned(row), unsigned(FIRST_ENTRY + 3 + (entry >> SYMBOL_AT))]
    skipped = wide(entry >> FIELD_BITS & _FIELD <= slot) + wide(entry >> 2 * FIELD_BITS & _FIELD <= slot)
    firsts = entry >> FIELD_BITS * skipped
    first = firsts & _FIELD
    a = ((firsts >> FIELD_BITS & _FIELD) - first) * (a >> SCALE_BITS) + slot - first
    a, at = _refilled(words, a, at)
    return (entry >> SYMBOL_AT) + skipped, b, a, at


@inlined
def next_bits(words: np.ndarray, count: int, a: int, b: int, at: int) -> tuple[int, int, int, int]:
    """The next ``count`` raw bits, 0 to 16; none at all cost nothing and leave the turn."""
    value = a & ((1 << count) - 1)
    rest, at = _refilled(words, a >> count, at)
    return value, (b if count else a), (rest if count else b), at


@inlined
def _refilled(words: np.ndarray, state: int, at: int) -> tuple[int, int]:
    """A state with another word where it needs one, and the next word."""
    more = state << 16 | wide(words[unsigned(min(at, len(words) - 1))])
    return (more, at + 1) if state < LOWEST else (state, at)


@kernel
def encode(events: np.ndarray, tables: np.ndarray, table_of: np.ndarray, words: np.ndarray) -> int:
    """Writes ``events`` to the end of ``words``, which must have room; gives the place of the first word."""
    turns = 0
    for event in events:
        turns += (symbol_of(event) >= 0) + (raw_count_of(event) != 0)
    lane = turns & 1
    x = np.full(2, LOWEST, np.int64)
    at = len(words)
    for index in range(len(events) - 1, -1, -1):
        event = events[index]
        bits = raw_count_of(event)
        if bits:
            lane = 1 - lane
            if x[lane] >= 1 << (32 - bits):
                at -= 1
                words[at] = x[lane] & 0xFFFF
                x[lane] >>= 16
            x[lane] = x[lane] << bits | raw_of(event)
        symbol = symbol_of(event)
        if symbol >= 0:
            lane = 1 - lane
            entry = tables[table_of[context_of(event)], FIRST_ENTRY + symbol]
            first = entry & _FIELD
            frequency = (entry >> FIELD_BITS & _FIELD) - first
            if x[lane] >= frequency << 20:
                at -= 1
                words[at] = x[lane] & 0xFFFF
                x[lane] >>= 16
            x[lane] = ((x[lane] // frequency) << SCALE_BITS) + x[lane] % frequency + first
    for place in range(4):
        words[at - 4 + place] = (x[place >> 1] >> (16 * (place & 1))) & 0xFFFF
    return at - 4

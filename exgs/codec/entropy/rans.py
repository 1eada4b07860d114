"""Range asymmetric numeral systems: two interleaved 32-bit states, 12-bit frequencies, 16-bit words.

Symbols go to the two states in turn, raw bits as well. The encoder walks backwards and its last states come
first in the bytes; the decoder walks forwards and ends in the states the encoder began with. Source: J.
Duda, "Asymmetric numeral systems", 2013.
"""

from __future__ import annotations

import numpy as np

from exgs.codec.kernel import inlined, kernel, wide

SCALE_BITS = 12
"""Frequencies of a table add up to 2^12."""
LOWEST = 1 << 16
"""States lie between this and 2^32; both begin here in the encoder."""
BUCKET_BITS = 5
"""A row of the tables starts with the symbol at the first slot of each bucket of 2^5 slots."""
FIRST_SLOTS = 1 << (SCALE_BITS - BUCKET_BITS)
"""From here on a row has the first slot of each of 64 symbols, then 2^12 twice: it stays in the cache."""
ROW = FIRST_SLOTS + 66
"""Length of a row."""

_SLOTS = (1 << SCALE_BITS) - 1


@inlined
def next_symbol(
    words: np.ndarray, tables: np.ndarray, row: int, a: int, b: int, at: int
) -> tuple[int, int, int, int]:
    """The next symbol, by a row of ``tables``; then the states in their new turn and the next word.

    States and place go in and out as scalars, so that they stay in registers.
    """
    slot = a & _SLOTS
    place = FIRST_SLOTS + wide(tables[row, slot >> BUCKET_BITS])
    place += (wide(tables[row, place + 1]) <= slot) + (wide(tables[row, place + 2]) <= slot)
    while wide(tables[row, place + 1]) <= slot:
        place += 1
    first = wide(tables[row, place])
    a = (wide(tables[row, place + 1]) - first) * (a >> SCALE_BITS) + slot - first
    if a < LOWEST:
        if at < len(words):
            a = a << 16 | wide(words[at])
        at += 1
    return place - FIRST_SLOTS, b, a, at


@inlined
def next_bits(words: np.ndarray, count: int, a: int, b: int, at: int) -> tuple[int, int, int, int]:
    """The next ``count`` raw bits, 0 to 16; none at all cost nothing and leave the turn."""
    if count == 0:
        return wide(0), a, b, at
    value = a & ((1 << count) - 1)
    a >>= count
    if a < LOWEST:
        if at < len(words):
            a = a << 16 | wide(words[at])
        at += 1
    return value, b, a, at


@kernel
def encode(
    events: np.ndarray, count: int, tables: np.ndarray, table_of: np.ndarray, words: np.ndarray
) -> int:
    """Writes ``events`` to the end of ``words`` and gives the place of the first word.

    An event is a 64-bit integer: bits 0-9 context, 10-15 token, 16-20 number of raw bits, 21 whether there
    is a token, from 32 the raw bits. A token and raw bits are two turns. ``words`` must have room for any
    coding.
    """
    turns = 0
    for index in range(count):
        turns += ((events[index] >> 21) & 1) + (((events[index] >> 16) & 31) != 0)
    lane = turns & 1
    x = np.full(2, LOWEST, np.int64)
    at = len(words)
    for index in range(count - 1, -1, -1):
        event = events[index]
        bits = (event >> 16) & 31
        if bits:
            lane = 1 - lane
            if x[lane] >= 1 << (32 - bits):
                at -= 1
                words[at] = x[lane] & 0xFFFF
                x[lane] >>= 16
            x[lane] = x[lane] << bits | event >> 32
        if (event >> 21) & 1:
            lane = 1 - lane
            table, symbol = table_of[event & 1023], (event >> 10) & 63
            first = wide(tables[table, FIRST_SLOTS + symbol])
            frequency = wide(tables[table, FIRST_SLOTS + symbol + 1]) - first
            if x[lane] >= frequency << 20:
                at -= 1
                words[at] = x[lane] & 0xFFFF
                x[lane] >>= 16
            x[lane] = ((x[lane] // frequency) << SCALE_BITS) + x[lane] % frequency + first
    for place in range(4):
        words[at - 4 + place] = (x[place >> 1] >> (16 * (place & 1))) & 0xFFFF
    return at - 4

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
SLOTS = 1 << SCALE_BITS
"""Length of a row of the decoder's tables: what a slot says is packed in 32 bits.

Bits 0-11 the slot less the first one of its symbol, 12-23 the symbol's frequency less one, 24-29 the symbol.
"""

_SLOTS = SLOTS - 1


@inlined
def next_symbol(
    words: np.ndarray, tables: np.ndarray, row: int, a: int, b: int, at: int
) -> tuple[int, int, int, int]:
    """The next symbol, by a row of ``tables``; then the states in their new turn and the next word.

    States and place go in and out as scalars, so that they stay in registers.
    """
    entry = wide(tables[row, a & _SLOTS])
    a = (((entry >> SCALE_BITS) & _SLOTS) + 1) * (a >> SCALE_BITS) + (entry & _SLOTS)
    if a < LOWEST:
        if at < len(words):
            a = a << 16 | wide(words[at])
        at += 1
    return entry >> (2 * SCALE_BITS), b, a, at


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
    events: np.ndarray, count: int, starts: np.ndarray, table_of: np.ndarray, words: np.ndarray
) -> int:
    """Writes ``events`` to the end of ``words`` and gives the place of the first word.

    An event is a 64-bit integer: bits 0-9 context, 10-15 token, 16-20 number of raw bits, 21 whether there
    is a token, from 32 the raw bits. A token and raw bits are two turns. ``starts`` [T,65] int64 has the
    first slot of each symbol; ``words`` must have room for any coding.
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
            first = starts[table, symbol]
            frequency = starts[table, symbol + 1] - first
            if x[lane] >= frequency << 20:
                at -= 1
                words[at] = x[lane] & 0xFFFF
                x[lane] >>= 16
            x[lane] = ((x[lane] // frequency) << SCALE_BITS) + x[lane] % frequency + first
    for place in range(4):
        words[at - 4 + place] = (x[place >> 1] >> (16 * (place & 1))) & 0xFFFF
    return at - 4

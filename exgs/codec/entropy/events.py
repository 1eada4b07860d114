"""Events: integers of 64 bits in which the encoder's passes say what is to be coded, one after the other.

    bits 0-9    context
    bits 10-15  symbol
    bits 16-20  number of raw bits, 0 to 16
    bit  21     whether there is a symbol
    bits 32-47  the raw bits

An event is a symbol in a context, or raw bits, which count under a context; one that is both takes two turns
of the coder, the symbol first.
"""

from __future__ import annotations

from exgs.codec.kernel import inlined

SYMBOLS = 1 << 6
"""Symbols that an event tells apart."""

_SYMBOL_AT, _COUNT_AT, _CODED_AT, _RAW_AT = 10, 16, 21, 32


@inlined
def symbol_event(context: int, symbol: int) -> int:
    """A symbol in its context."""
    return context | symbol << _SYMBOL_AT | 1 << _CODED_AT


@inlined
def raw_event(context: int, value: int, count: int) -> int:
    """A ``value`` of ``count`` raw bits, counted under a context."""
    return context | count << _COUNT_AT | value << _RAW_AT


@inlined
def context_of(event: int) -> int:
    """The context."""
    return event & 1023


@inlined
def symbol_of(event: int) -> int:
    """The symbol; -1 where there is none."""
    return (event >> _SYMBOL_AT) & (SYMBOLS - 1) if (event >> _CODED_AT) & 1 else -1


@inlined
def raw_count_of(event: int) -> int:
    """How many raw bits there are."""
    return (event >> _COUNT_AT) & 31


@inlined
def raw_of(event: int) -> int:
    """The raw bits."""
    return event >> _RAW_AT

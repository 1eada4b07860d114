"""What an event is told, it says again."""

import pytest

from exgs.codec.entropy.events import (
    SYMBOLS,
    context_of,
    raw_count_of,
    raw_event,
    raw_of,
    symbol_event,
    symbol_of,
)
from exgs.codec.model import CONTEXTS, TOKENS


def test_every_context_and_every_symbol_has_room() -> None:
    assert CONTEXTS <= 1 << 10 and TOKENS <= SYMBOLS


@pytest.mark.parametrize(("context", "symbol"), [(0, 0), (CONTEXTS - 1, TOKENS - 1), (517, 3)])
def test_a_symbol_has_its_context_and_no_raw_bits(context: int, symbol: int) -> None:
    event = symbol_event(context, symbol)
    assert (context_of(event), symbol_of(event), raw_count_of(event)) == (context, symbol, 0)


@pytest.mark.parametrize(("value", "count"), [(0, 1), (1, 1), (0xFFFF, 16), (0x1234, 13)])
def test_raw_bits_are_no_symbol(value: int, count: int) -> None:
    event = raw_event(31, value, count)
    assert (context_of(event), symbol_of(event)) == (31, -1)
    assert (raw_of(event), raw_count_of(event)) == (value, count)

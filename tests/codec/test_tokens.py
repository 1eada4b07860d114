"""Every integer has one token and comes back from it and the raw bits after it."""

import pytest

from exgs.codec.entropy.bits import fold
from exgs.codec.model import DIRECT, MAX_VALUE, TOKENS
from exgs.codec.tokens import folded, further_bits, token_of, unfolded


def extended(token: int, raw: int) -> int:
    """The value, as docs/bitstream.md has it."""
    if token < DIRECT:
        return token
    return (2 + ((token - DIRECT) & 1)) * 2 ** further_bits(token) + raw


@pytest.mark.parametrize("value", [0, 1, 15, 16, 17, 23, 24, 31, 32, 47, 48, 1000, 65535, 65536, MAX_VALUE])
def test_a_value_is_its_token_and_raw_bits(value: int) -> None:
    token = token_of(value)
    raw = value & ((1 << further_bits(token)) - 1) if token >= DIRECT else 0
    assert 0 <= token < TOKENS and extended(token, raw) == value


def test_tokens_rise_with_values_and_all_are_used() -> None:
    tokens = [token_of(value) for value in range(MAX_VALUE + 1)]
    assert tokens == sorted(tokens) and set(tokens) == set(range(TOKENS))


def test_folding_is_undone_and_is_that_of_the_header() -> None:
    values = [0, -1, 1, -2, 2, 1000, -30000]
    assert [folded(value) for value in values[:5]] == [0, 1, 2, 3, 4]
    assert [unfolded(folded(value)) for value in values] == values
    assert [folded(value) for value in values] == [fold(value) for value in values]

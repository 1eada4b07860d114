"""Integers as they are coded: folded to be unsigned, then a token, which raw bits may follow.

Values below ``DIRECT`` are tokens of their own; any other token is a leading one and the bit after it.
Used by encoder and decoder alike. Spec: docs/bitstream.md, Entropy decoding
"""

from __future__ import annotations

from exgs.codec.kernel import inlined, kernel, wide
from exgs.codec.model import DIRECT


@inlined
def folded(value: int) -> int:
    """Unsigned integers from signed ones: the inverse of ``unfolded``."""
    return -2 * value - 1 if value < 0 else 2 * value


@inlined
def unfolded(value: int) -> int:
    """Signed integers from unsigned ones: 0, -1, 1, -2, 2 and so on."""
    return value >> 1 ^ -(value & 1)


@kernel
def token_of(value: int) -> int:
    """The token of an unsigned ``value`` below 2^17."""
    if value < DIRECT:
        return wide(value)
    top = 4
    while value >> (top + 1):
        top += 1
    return DIRECT + 2 * (top - 4) + ((wide(value) >> (top - 1)) & 1)


@inlined
def further_bits(token: int) -> int:
    """Raw bits after a ``token`` of ``DIRECT`` or above."""
    return ((token - DIRECT) >> 1) + 3

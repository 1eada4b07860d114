"""Megabits, in which people speak of rates, and bytes, in which the protocol does."""

from __future__ import annotations

BYTES_PER_MBIT = 125_000
"""A megabit is a million bits."""


def bytes_per_s(mbps: float | None) -> int:
    """A bound of ``mbps`` megabits per second as ``Preferences`` has it; 0, which is no bound, for None.

    However small it is, it stays one: at least a byte per second.

    Raises:
        ValueError: it is not positive, which would be no bound to one side and a mistake to the other.
    """
    if mbps is None:
        return 0
    if not mbps > 0:
        raise ValueError(f"a bound of {mbps:g} Mbit/s: expected more than 0, or None")
    return max(1, round(mbps * BYTES_PER_MBIT))

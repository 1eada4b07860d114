"""Tokens that admit for a while."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exgs.server.tickets import admits, issue

SECRET, NOON_S = "open-sesame", 1_800_000_000
TICKET = issue(SECRET, NOON_S)


def test_the_secret_itself_admits_for_ever() -> None:
    assert admits(SECRET, SECRET, 0.0) and admits(SECRET, SECRET, 1e12)


def test_a_ticket_admits_until_it_expires() -> None:
    assert admits(SECRET, TICKET, NOON_S - 0.1)
    assert not admits(SECRET, TICKET, float(NOON_S))
    assert not admits("another", TICKET, 0.0)
    assert SECRET not in TICKET and len(TICKET) < 256 and TICKET.isascii()


@pytest.mark.parametrize(
    "shown",
    [
        "",
        "open-sesam",
        "open-sesame ",
        TICKET.replace(str(NOON_S), str(NOON_S + 1)),
        TICKET.replace(str(NOON_S), f"0{NOON_S}"),
        TICKET[:-1],
        TICKET + "A",
        TICKET + "=",
        TICKET + "\n",
        TICKET.replace("exgs1", "exgs2"),
        f"exgs1.{10**12}." + "A" * 43,
        f"exgs1.-1.{'A' * 43}",
        f"exgs1.\u0661.{'A' * 43}",
        "exgs1..",
        "\udcff",
    ],
)
def test_nothing_else_does(shown: str) -> None:
    assert not admits(SECRET, shown, 0.0)


@given(st.integers(0, len(TICKET) - 1), st.characters(codec="ascii", categories=["L", "N"]))
def test_no_letter_of_it_may_change(place: int, letter: str) -> None:
    changed = TICKET[:place] + letter + TICKET[place + 1 :]
    assert admits(SECRET, changed, 0.0) == (changed == TICKET)

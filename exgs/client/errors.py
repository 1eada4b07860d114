"""What can go wrong on the viewer's side."""

from __future__ import annotations

MAX_QUOTED = 200


class ClientError(Exception):
    """A scene could not be played or shown: what was tried, what happened and what would help."""


class NoRoute(ClientError):
    """The server answers, but nothing gets through to it by UDP."""


def quoted(text: str) -> str:
    """What a peer wrote, made fit for a terminal: one line, printable, of bounded length."""
    return " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * MAX_QUOTED]).split())[
        :MAX_QUOTED
    ]

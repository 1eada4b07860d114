"""Who broke the rules of a session."""

from __future__ import annotations


class ProtocolError(Exception):
    """A rule of docs/protocol.md was broken."""


class LocalProtocolError(ProtocolError):
    """This side tried to say what it may not say now: a bug of the caller."""


class RemoteProtocolError(ProtocolError):
    """The peer said what it may not say."""

    def __init__(self, message: str, *, close_code: int) -> None:
        """``close_code`` is the code of docs/protocol.md that the session ends with."""
        super().__init__(message)
        self.close_code = close_code

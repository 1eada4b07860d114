"""Who broke the rules of a session."""

from __future__ import annotations

from exgs.protocol.vocabulary import CloseCode


class ProtocolError(Exception):
    """A rule of docs/protocol.md was broken."""


class LocalProtocolError(ProtocolError):
    """This side tried to say what it may not say now: a bug of the caller."""


class RemoteProtocolError(ProtocolError):
    """The peer said what it may not say."""

    def __init__(self, message: str, *, close_code: CloseCode) -> None:
        """``close_code`` is the code of docs/protocol.md that the session ends with."""
        super().__init__(message)
        self.close_code = close_code


class SessionClosed(ProtocolError):
    """The session is over, so nothing more can be awaited from it."""

    def __init__(self, message: str, *, close_code: CloseCode) -> None:
        """``close_code`` says why it ended."""
        super().__init__(message)
        self.close_code = close_code


class TransportError(ProtocolError):
    """This machine or the network cannot carry the session; the message says what would help."""

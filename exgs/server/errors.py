"""What can go wrong on the server, in words that may be shown to a viewer."""

from __future__ import annotations


class ServerError(Exception):
    """The server cannot do what it was asked; the message names no path of this machine's disk."""


class UnknownScene(ServerError):
    """No scene of that name is served."""


class SceneFailed(ServerError):
    """The scene is known but cannot be read or encoded; the message says why."""


class Refused(ServerError):
    """The server takes nobody more for now; trying again later may work."""

    def __init__(self, message: str, *, reason: str, retry_after_s: int, status: int = 503) -> None:
        """``reason`` is the word that the metrics count it under, ``status`` that of HTTP."""
        super().__init__(message)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.status = status

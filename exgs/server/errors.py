"""What can go wrong on the server, in words that may be shown to a viewer."""

from __future__ import annotations

import math
import os
from pathlib import Path


class ServerError(Exception):
    """The server cannot do what it was asked; the message names no path of this machine's disk."""


class UnfitSetting(ServerError):
    """No server can be made with such a value of a setting."""

    def __init__(self, setting: str, reason: str) -> None:
        """``setting`` is the name of a field of ``ServerConfig``, ``reason`` what is amiss with it."""
        super().__init__(f"{setting}: {reason}")
        self.setting, self.reason = setting, reason


class UnknownScene(ServerError):
    """No scene of that name is served."""


class NotReady(ServerError):
    """The scene is known but cannot be had that way now."""


class SceneFailed(ServerError):
    """The scene is known but cannot be read or encoded; the message says why."""


class TookTooLong(SceneFailed):
    """Work on the scene was stopped when its time was over: to begin again would end the same way."""


class Refused(ServerError):
    """The server takes nobody more for now; trying again later may work."""

    def __init__(self, message: str, *, reason: str, retry_after_s: int, status: int = 503) -> None:
        """``reason`` is the word that the metrics count it under, ``status`` that of HTTP."""
        super().__init__(message)
        self.reason = reason
        self.retry_after_s = retry_after_s
        self.status = status

    @classmethod
    def too_often(cls, wait_s: float) -> Refused:
        """An address asks more often than it may, and may ask again after ``wait_s``."""
        message = "your address asks for sessions too often"
        return cls(message, reason="calls", retry_after_s=math.ceil(wait_s), status=429)


def without_folder(message: str, folder: Path) -> str:
    """``message`` without the place of ``folder`` on the disk: it and what is in it keep their names."""
    inside = message.replace(f"{folder}{os.sep}", "")
    return inside.replace(f"{folder}: ", f"{folder.name}: ")

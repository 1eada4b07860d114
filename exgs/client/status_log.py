"""Writes where a session stands to a file, one JSON object a second, to be read while it goes on."""

from __future__ import annotations

import json
from pathlib import Path
from types import TracebackType

from exgs.client.errors import ClientError
from exgs.client.status import Status


class StatusLog:
    """A JSON Lines file. A context manager; without a path it writes nothing."""

    def __init__(self, path: Path | None) -> None:
        """Begins the file, in the place of one that was there.

        Raises:
            ClientError: it cannot be written.
        """
        self._path, self._stream = path, None
        self._second = -1
        if path is not None:
            try:
                self._stream = path.open("w", encoding="utf-8")
            except OSError as error:
                raise ClientError(f"{path}: {error.strerror}") from error

    def note(self, status: Status, *, last: bool = False) -> None:
        """Writes ``status`` where it is the first of a whole second since the offer, or the ``last`` of all.

        Raises:
            ClientError: the disk is full, or the folder has gone.
        """
        second = int(status.at_s)
        if self._stream is None or (second == self._second and not last):
            return
        self._second = second
        try:
            self._stream.write(json.dumps(status.to_json(), allow_nan=False) + "\n")
            self._stream.flush()
        except OSError as error:
            raise ClientError(f"{self._path}: {error.strerror}") from error

    def __enter__(self) -> StatusLog:
        """The log itself; it is closed at the end of the block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._stream is not None:
            try:
                self._stream.close()
            except OSError as error:
                raise ClientError(f"{self._path}: {error.strerror}") from error

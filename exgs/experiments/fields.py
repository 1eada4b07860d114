"""Strict reading of a table of settings: every key is known, of its type, and within its bounds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from exgs.experiments.errors import ExperimentError


class Fields:
    """The keys of one table. Take each that is known, then ``finish``: what is left is a mistake."""

    def __init__(self, table: dict[str, Any], where: str, folder: Path) -> None:
        """``where`` names the table in messages; paths are relative to ``folder``."""
        self.where = where
        """What the table is called."""
        self._left, self._folder = dict(table), folder

    def __contains__(self, key: str) -> bool:
        return key in self._left

    def number(
        self, key: str, default: float | None, low: float, high: float, *, above: bool = False
    ) -> float | None:
        """A finite number from ``low`` to ``high``, or above ``low``; ``default`` where the key is absent.

        Raises:
            ExperimentError: it is none.
        """
        if key not in self._left:
            return default
        value = self._left.pop(key)
        sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
        if not sound or not (low < value <= high if above else low <= value <= high):
            span = f"more than {low:g} and at most {high:g}" if above else f"{low:g} to {high:g}"
            raise self.wrong(key, f"a number, {span}", value)
        return float(value)

    def whole(self, key: str, default: int, low: int, high: int) -> int:
        """A whole number from ``low`` to ``high``.

        Raises:
            ExperimentError: it is none.
        """
        return _whole(self, key, self._left.pop(key), low, high) if key in self._left else default

    def wholes(self, key: str, default: tuple[int, ...], low: int, high: int) -> tuple[int, ...]:
        """A list of different whole numbers from ``low`` to ``high``, at least one.

        Raises:
            ExperimentError: it is none.
        """
        if key not in self._left:
            return default
        return tuple(_whole(self, key, value, low, high) for value in self._list(key))

    def numbers(self, key: str, low: float, high: float) -> tuple[float, ...]:
        """A list of different numbers above ``low`` and at most ``high``; empty where the key is absent.

        Raises:
            ExperimentError: it is none.
        """
        if key not in self._left:
            return ()
        values = self._list(key)
        for value in values:
            if isinstance(value, bool) or not isinstance(value, int | float) or not low < value <= high:
                raise self.wrong(key, f"numbers, more than {low:g} and at most {high:g}", value)
        return tuple(float(value) for value in values)

    def sides(self, key: str, default: tuple[int, int], low: int, high: int) -> tuple[int, int]:
        """Width and height, each from ``low`` to ``high``.

        Raises:
            ExperimentError: they are none.
        """
        if key not in self._left:
            return default
        value = self._left.pop(key)
        if not isinstance(value, list) or len(value) != 2:
            raise self.wrong(key, "[width, height]", value)
        width, height = (_whole(self, key, side, low, high) for side in value)
        return width, height

    def words(self, key: str, known: tuple[str, ...]) -> tuple[str, ...]:
        """A list of different words, each one of ``known``; empty where the key is absent.

        Raises:
            ExperimentError: it is none.
        """
        if key not in self._left:
            return ()
        values = self._list(key)
        for value in values:
            if value not in known:
                raise self.wrong(key, f"some of {', '.join(known)}", value)
        return tuple(values)

    def text(self, key: str, default: str | None = None) -> str:
        """A line of text that is not empty.

        Raises:
            ExperimentError: it is none, or the key is absent and has no default.
        """
        if key not in self._left:
            if default is None:
                raise ExperimentError(f"{self.where}: {key} is missing")
            return default
        value = self._left.pop(key)
        if not isinstance(value, str) or not 0 < len(value) <= 80 or not value.isprintable():
            raise self.wrong(key, "a line of 1 to 80 letters", value)
        return value

    def choice(self, key: str, known: tuple[str, ...], default: str | None = None) -> str:
        """One of ``known``.

        Raises:
            ExperimentError: it is none, or the key is absent and has no default.
        """
        value = self.text(key, default)
        if value not in known:
            raise self.wrong(key, f"one of {', '.join(known)}", value)
        return value

    def path(self, key: str) -> Path | None:
        """A file or folder that exists, relative to the folder of the settings; None where the key is absent.

        Raises:
            ExperimentError: there is none.
        """
        if key not in self._left:
            return None
        value = self._left.pop(key)
        if not isinstance(value, str) or not value or "\0" in value:
            raise self.wrong(key, "the name of a file", value)
        found = self._folder / Path(value).expanduser()
        name, _, _ = found.name.partition("@")  # a level of a streamed scene: lod-meta.json@LEVEL
        if not found.with_name(name).exists():
            raise ExperimentError(f"{self.where}: {key}: {found}: no such file")
        return found

    def table(self, key: str) -> Fields | None:
        """An inner table; None where the key is absent.

        Raises:
            ExperimentError: it is none.
        """
        if key not in self._left:
            return None
        value = self._left.pop(key)
        if not isinstance(value, dict):
            raise self.wrong(key, "a table", value)
        return Fields(value, f"{self.where}: {key}", self._folder)

    def tables(self, key: str) -> list[Fields]:
        """A list of tables; empty where the key is absent.

        Raises:
            ExperimentError: it is none.
        """
        values = self._left.pop(key, [])
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.wrong(key, f"tables, each under [[{key}]]", values)
        return [
            Fields(value, f"{self.where}: {key} {number}", self._folder)
            for number, value in enumerate(values, 1)
        ]

    def finish(self, known: str) -> None:
        """Says that all keys were taken; ``known`` names them for the person.

        Raises:
            ExperimentError: some were not.
        """
        if self._left:
            raise ExperimentError(f"{self.where}: unknown key {next(iter(self._left))!r}: expected {known}")

    def wrong(self, key: str, expected: str, found: Any) -> ExperimentError:
        """The error for a key whose value will not do."""
        return ExperimentError(f"{self.where}: {key}: expected {expected}, found {str(found)[:60]!r}")

    def _list(self, key: str) -> list[Any]:
        values = self._left.pop(key)
        values = values if isinstance(values, list) else [values]
        if not values or any(value in values[:index] for index, value in enumerate(values)):
            raise self.wrong(key, "different values, at least one", values)
        return values


def _whole(fields: Fields, key: str, value: Any, low: int, high: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise fields.wrong(key, f"a whole number, {low} to {high}", value)
    return value

"""JSON documents from outside, read key by key with a message for everything that may be wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.bounded import parse_object
from exgs.scene.formats.bundle import check_relative

LARGEST = 1e30
"""Numbers beyond this are no coordinates, and would not survive as float32."""


@dataclass(frozen=True)
class Fields:
    """One object of a JSON document."""

    values: dict[str, Any]
    """The object."""
    where: str
    """The file and the path of keys that led here."""

    def section(self, key: str) -> Fields:
        """The object under ``key``."""
        value = self.values.get(key)
        if not isinstance(value, dict):
            raise SceneError(f"{self.where}: {key}: expected an object")
        return Fields(value, f"{self.where}: {key}")

    def whole(self, key: str, *, most: int, least: int = 0) -> int:
        """The whole number under ``key``."""
        return self._whole(key, self.values.get(key), least, most)

    def items(self, key: str, *, most: int) -> list[Any]:
        """The list under ``key``."""
        value = self.values.get(key)
        if not isinstance(value, list) or len(value) > most:
            raise SceneError(f"{self.where}: {key}: expected a list of at most {most}")
        return value

    def first_whole(self, key: str, *, most: int) -> int:
        """The first of a list of whole numbers, such as a shape."""
        items = self.items(key, most=64)
        return self._whole(key, items[0] if items else None, 0, most)

    def number(self, key: str) -> float:
        """The finite number under ``key``."""
        return float(self._numbers(key, [self.values.get(key)])[0])

    def numbers(self, key: str, *, count: int) -> np.ndarray:
        """[count] float64, the finite numbers under ``key``."""
        items = self.items(key, most=count)
        if len(items) != count:
            raise SceneError(f"{self.where}: {key}: {len(items)} numbers, expected {count}")
        return self._numbers(key, items)

    def names(self, *, count: int) -> list[str]:
        """The ``count`` file names under ``files``, none of which leaves the folder."""
        items = self.items("files", most=64)
        if len(items) < count or not all(isinstance(item, str) for item in items):
            raise SceneError(f"{self.where}: files: expected {count} file names")
        return [check_relative(item, where=self.where) for item in items[:count]]

    def _numbers(self, key: str, items: list[Any]) -> np.ndarray:
        if not all(isinstance(item, int | float) and not isinstance(item, bool) for item in items):
            raise SceneError(f"{self.where}: {key}: expected numbers")
        try:
            numbers = np.array([float(item) for item in items], np.float64)
        except OverflowError as error:
            raise SceneError(f"{self.where}: {key}: {str(error)[:100]}") from error
        if not (np.abs(numbers) <= LARGEST).all():
            raise SceneError(f"{self.where}: {key}: expected finite numbers of at most {LARGEST:g}")
        return numbers

    def _whole(self, key: str, value: Any, least: int, most: int) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise SceneError(f"{self.where}: {key}: {str(value)[:40]}, expected {least} to {most}")
        return value


def parse_fields(data: bytes, *, where: str) -> Fields:
    """The JSON object in ``data``, whose size the caller has limited."""
    return Fields(parse_object(data, where, SceneError), where)

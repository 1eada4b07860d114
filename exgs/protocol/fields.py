"""Kinds of fields: how a value of each is bounded, and how it stands in msgpack."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol


class Kind(Protocol):
    """What a field may hold."""

    def describe(self) -> str:
        """The kind in words, as docs/protocol.md has it."""

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``, a Python value of a message; None where nothing is."""


@dataclass(frozen=True)
class Integer:
    """A whole number in [low, high]."""

    low: int
    high: int

    def describe(self) -> str:
        """The kind in words."""
        return f"integer {self.low} to {self.high}"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        if type(value) is bool or not isinstance(value, int):
            return f"expected {self.describe()}, found {type(value).__name__}"
        return None if self.low <= value <= self.high else f"expected {self.describe()}, found {value}"


@dataclass(frozen=True)
class Number:
    """A finite float in [low, high]."""

    low: float
    high: float

    def describe(self) -> str:
        """The kind in words."""
        return f"float {self.low:g} to {self.high:g}"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        if type(value) is bool or not isinstance(value, int | float):
            return f"expected {self.describe()}, found {type(value).__name__}"
        if math.isnan(value) or not self.low <= value <= self.high:
            return f"expected {self.describe()}, found {value}"
        return None


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def describe(self) -> str:
        """The kind in words."""
        return "boolean"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        return None if isinstance(value, bool) else f"expected a boolean, found {type(value).__name__}"


@dataclass(frozen=True)
class Text:
    """Text of at most max_bytes bytes of UTF-8."""

    max_bytes: int

    def describe(self) -> str:
        """The kind in words."""
        return f"text up to {self.max_bytes} bytes"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        if not isinstance(value, str):
            return f"expected {self.describe()}, found {type(value).__name__}"
        try:
            size = len(value.encode("utf-8"))
        except UnicodeEncodeError:
            return f"expected {self.describe()}, found a lone surrogate"
        return None if size <= self.max_bytes else f"expected {self.describe()}, found {size} bytes"


@dataclass(frozen=True)
class Blob:
    """At most max_bytes bytes."""

    max_bytes: int

    def describe(self) -> str:
        """The kind in words."""
        return f"bytes, up to {self.max_bytes}"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        if not isinstance(value, bytes):
            return f"expected {self.describe()}, found {type(value).__name__}"
        return (
            None if len(value) <= self.max_bytes else f"expected {self.describe()}, found {len(value)} bytes"
        )


@dataclass(frozen=True)
class Listing:
    """A tuple of at most max_items values of one kind."""

    item: Kind
    max_items: int

    def describe(self) -> str:
        """The kind in words."""
        return f"list of up to {self.max_items}: {self.item.describe()}"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        if not isinstance(value, tuple):
            return f"expected a list, found {type(value).__name__}"
        if len(value) > self.max_items:
            return f"expected at most {self.max_items} items, found {len(value)}"
        for index, item in enumerate(value):
            wrong = self.item.complaint(item)
            if wrong is not None:
                return f"item {index}: {wrong}"
        return None


@dataclass(frozen=True)
class Vector:
    """A tuple of exactly ``size`` finite float32 values of at most ``bound`` in magnitude."""

    size: int
    bound: float

    def describe(self) -> str:
        """The kind in words."""
        return f"{self.size} floats within ±{self.bound:g}"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        if not isinstance(value, tuple) or len(value) != self.size:
            return f"expected {self.describe()}"
        for item in value:
            if type(item) is not float or not -self.bound <= item <= self.bound:
                wrong = Number(-self.bound, self.bound).complaint(item)
                if wrong is not None:
                    return wrong
        return None


@dataclass(frozen=True)
class Quaternion:
    """A unit quaternion wxyz as four float32 values."""

    size: int = 4
    tolerance: float = 0.01

    def describe(self) -> str:
        """The kind in words."""
        return f"4 floats of length 1 ± {self.tolerance:g}"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        wrong = _around_one(self.size, self.tolerance).complaint(value)
        if wrong is not None or not isinstance(value, tuple):
            return wrong
        length = math.hypot(*value)
        return None if abs(length - 1) <= self.tolerance else f"expected length 1, found {length:.3f}"


@functools.cache
def _around_one(size: int, tolerance: float) -> Vector:
    return Vector(size, 1 + tolerance)


@dataclass(frozen=True)
class Measures:
    """A dictionary of at most max_items finite numbers by name."""

    max_items: int
    max_name_bytes: int

    def describe(self) -> str:
        """The kind in words."""
        return f"map of up to {self.max_items} floats by name (text up to {self.max_name_bytes} bytes)"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        if not isinstance(value, dict):
            return f"expected a map, found {type(value).__name__}"
        if len(value) > self.max_items:
            return f"expected at most {self.max_items} entries, found {len(value)}"
        name, number = Text(self.max_name_bytes), Number(-1e300, 1e300)
        for key, entry in value.items():
            wrong = name.complaint(key) or number.complaint(entry)
            if wrong is not None:
                return f"entry {str(key)[:32]!r}: {wrong}"
        return None


@dataclass(frozen=True)
class Record:
    """A nested frozen dataclass whose fields are declared like those of a message."""

    of: type

    def describe(self) -> str:
        """The kind in words."""
        return f"{self.of.__name__}"

    def complaint(self, value: object) -> str | None:
        """What is wrong with ``value``."""
        if not isinstance(value, self.of):
            return f"expected {self.of.__name__}, found {type(value).__name__}"
        return complaint_about(value)


def declared(kind: Kind, **default: Any) -> Any:
    """A dataclass field of ``kind``; ``default=`` as in ``dataclasses.field``."""
    return dataclasses.field(metadata={"kind": kind}, **default)


def _kinds_of(of: type) -> tuple[tuple[str, Kind], ...]:
    return tuple((field.name, field.metadata["kind"]) for field in dataclasses.fields(of))


kinds_of: Callable[[type], tuple[tuple[str, Kind], ...]] = functools.cache(_kinds_of)
"""(name, kind) of every declared field of a dataclass, in order."""


def complaint_about(message: object) -> str | None:
    """What is wrong with the fields of ``message``; None where nothing is."""
    for name, kind in kinds_of(type(message)):
        wrong = kind.complaint(getattr(message, name))
        if wrong is not None:
            return f"{name}: {wrong}"
    return None

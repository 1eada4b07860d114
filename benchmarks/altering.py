"""The encoder with some of its parts exchanged."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import exgs.codec


def part(path: str) -> Any:
    """What ``path``, such as ``encoding.merging.reduce``, names in exgs.codec.

    Raises:
        LookupError: nothing has that name.
    """
    module, _, name = path.rpartition(".")
    home = importlib.import_module(f"exgs.codec.{module}")
    if not hasattr(home, name):
        raise LookupError(f"exgs.codec.{module} has no {name}")
    return getattr(home, name)


@contextmanager
def altered(changes: Mapping[str, Any]) -> Iterator[None]:
    """Puts each value in place of the part it names, in every module of the codec, while the block runs."""
    _import_all()
    undo: list[tuple[Any, str, Any]] = []
    try:
        for path, value in changes.items():
            before, name = part(path), path.rpartition(".")[2]
            for module in [m for key, m in sys.modules.items() if key.startswith("exgs.codec.")]:
                if vars(module).get(name) is before:
                    undo.append((module, name, before))
                    setattr(module, name, value)
        yield
    finally:
        for module, name, before in undo:
            setattr(module, name, before)


def _import_all() -> None:
    for found in pkgutil.walk_packages(exgs.codec.__path__, "exgs.codec."):
        importlib.import_module(found.name)

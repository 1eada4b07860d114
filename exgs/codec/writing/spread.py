"""Who does the jobs that writing a file falls into: one thread, or several."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

Spread = Callable[[Callable[..., Any], Iterable[tuple[Any, ...]]], list[Any]]
"""Calls a function with each of some jobs, and gives what it gave, in the order of the jobs."""


def in_turn(function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]]) -> list[Any]:
    """``function(*job)`` for every job, one after the other."""
    return [function(*job) for job in jobs]

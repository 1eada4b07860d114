"""How the codec's loops are compiled: exactly as written, without liberties in floating point."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])

wide: Callable[..., Any] = np.int64
"""Integers of 64 bits, in kernels."""
unsigned: Callable[..., Any] = np.uint64
"""An index that is known not to be negative: numba need not ask whether it counts from the end."""


def kernel(function: Function) -> Function:
    """Compiles ``function`` at its first call, keeps it on disk, and lets go of the interpreter lock."""
    compiled = njit(nogil=True, error_model="numpy")(function)
    with suppress(RuntimeError):  # numba finds no folder that it may write to: compiled anew in every process
        compiled.enable_caching()
    return cast(Function, compiled)


def inlined(function: Function) -> Function:
    """Compiles ``function`` into the kernels that call it: what it takes and gives stays in registers."""
    return cast(Function, njit(nogil=True, error_model="numpy", forceinline=True)(function))

"""How the CPU kernels are compiled, and the instructions that numba has no name for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

from numba import njit, types
from numba.core.event import Listener, install_listener
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])

FASTMATH = {"contract", "reassoc", "arcp", "nsz"}
"""Liberties that leave NaN and infinity as they are: hostile values are found by comparing with them."""


def kernel(function: Function) -> Function:
    """Compiles ``function`` at its first call, keeps it on disk, and lets go of the interpreter lock."""
    compiled = njit(nogil=True, error_model="numpy", fastmath=FASTMATH)(function)
    with suppress(RuntimeError):  # numba finds no folder that it may write to: compiled anew in every process
        compiled.enable_caching()
    return cast(Function, compiled)


def inlined(function: Function) -> Function:
    """Writes ``function`` out wherever a kernel calls it: a loop around a call would not become vectors."""
    return cast(Function, njit(inline="always")(function))


def all_compiled(kernels: Iterable[Any]) -> bool:
    """Whether every kernel is in memory or on disk already, no older than its source."""
    return all(kernel.signatures or _on_disk(kernel) for kernel in kernels)


@contextmanager
def telling_of_compiling(tell: Callable[[], None]) -> Iterator[None]:
    """While it lasts, ``tell`` is called where a kernel, of any room, is neither in memory nor on disk.

    It is called before the compiler begins, in the thread that waits for it.
    """
    with install_listener("numba:compile", _Starts(tell)):
        yield


class _Starts(Listener):
    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def on_start(self, event: Any) -> None:
        self._tell()

    def on_end(self, event: Any) -> None:
        """Nobody asks."""


_instruction = cast(Callable[[Callable[..., Any]], Callable[..., Any]], intrinsic)


def _on_disk(kernel: Any) -> bool:
    source = Path(kernel.py_func.__code__.co_filename).stat().st_mtime
    indices = Path(kernel.stats.cache_path or "/nowhere").glob(f"*.{kernel.__name__}-*.nbi")
    return any(index.stat().st_mtime >= source for index in indices)


@_instruction
def trailing_zeros(typing_context: Any, value: Any) -> Any:
    """Number of zero bits below the lowest set bit of an int64."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], context.get_constant(types.boolean, False))

    return types.int64(types.int64), generate


@_instruction
def float_of_bits(typing_context: Any, bits: Any) -> Any:
    """The float32 whose bit pattern is an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.float32))

    return types.float32(types.int32), generate


@_instruction
def bits_of_float(typing_context: Any, value: Any) -> Any:
    """The bit pattern of a float32, as an int32."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], context.get_value_type(types.int32))

    return types.int32(types.float32), generate

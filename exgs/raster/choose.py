"""Which rasteriser this machine gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from exgs.raster.seam import Rasterizer

RASTERIZERS = ("auto", "cpu", "cuda", "twin")


class RasterizerError(Exception):
    """The rasteriser that was asked for cannot work on this machine; the message says why."""


@dataclass(frozen=True)
class RasterizerReport:
    """What ``auto`` takes, and why."""

    name: str
    """The rasteriser that is taken."""
    reason: str
    """Why it is, and what would have to change for another."""


def choose_rasterizer(
    name: str = "auto", *, threads: int | None = None, on_compile: Callable[[str], None] | None = None
) -> Rasterizer:
    """The rasteriser called ``name``: ``auto`` takes CUDA only where it truly works, else the CPU.

    ``threads`` (of the CPU rasteriser) None takes all processors; ``on_compile`` hears of a wait for a
    compiler.

    Raises:
        ValueError: there is no such rasteriser.
        RasterizerError: CUDA was asked for and does not work here.
    """
    if name not in RASTERIZERS:
        raise ValueError(f"rasteriser {name!r}: expected one of {', '.join(RASTERIZERS)}")
    if name == "twin":
        from exgs.raster.twin import TwinRasterizer

        return TwinRasterizer()
    if name in ("auto", "cuda"):
        from exgs.raster.cuda import CudaRasterizer, cuda_problem

        problem = cuda_problem(on_compile)
        if problem is None:
            return CudaRasterizer()
        if name == "cuda":
            raise RasterizerError(f"CUDA cannot be used: {problem}")
    from exgs.raster.cpu import CpuRasterizer

    return CpuRasterizer(threads=threads, on_compile=on_compile)


def rasterizer_report() -> RasterizerReport:
    """What ``choose_rasterizer("auto")`` takes on this machine, and why."""
    from exgs.raster.cuda import cuda_problem

    problem = cuda_problem()
    if problem is None:
        return RasterizerReport("cuda", "gsplat drew a trial picture on the GPU")
    return RasterizerReport("cpu", f"CUDA cannot be used: {problem}")

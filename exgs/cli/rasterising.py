"""The rasteriser of a command, warmed up in the open."""

from __future__ import annotations

from exgs.cli.terminal import Reporter
from exgs.raster import Rasterizer, choose_rasterizer


def rasterizer_for(name: str, reporter: Reporter) -> Rasterizer:
    """The rasteriser called ``name``; says so when its kernels must be compiled first."""
    return choose_rasterizer(name, on_compile=reporter.say)

"""The rasteriser and the restorer of a command, warmed up in the open."""

from __future__ import annotations

from exgs.cli.terminal import Reporter
from exgs.painter import Restorer, choose_restorer
from exgs.raster import Rasterizer, choose_rasterizer


def rasterizer_for(name: str, reporter: Reporter) -> Rasterizer:
    """The rasteriser called ``name``; says so when its kernels must be compiled first."""
    return choose_rasterizer(name, on_compile=reporter.say)


def restorer_for(mode: str, engine: str, reporter: Reporter, *, video: bool) -> Restorer:
    """The restorer of ``--restore``; says so where ``auto`` has to leave pictures as they are."""
    return choose_restorer(
        mode, engine=engine, video=video, on_off=lambda reason: reporter.say(f"not restored: {reason}")
    )

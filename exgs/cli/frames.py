"""Frames of reference that the command line names."""

from __future__ import annotations

from dataclasses import replace

from exgs.scene import Frame, Gaussians, to_frame


def facing(gaussians: Gaussians, axes: str | None) -> Gaussians:
    """The scene turned into the frame of the cameras that look at it, where ``axes`` names one."""
    return gaussians if axes is None else to_frame(gaussians, replace(gaussians.frame, axes=axes))


def named_frame(gaussians: Gaussians, axes: str | None, *, metres_per_unit: float | None = None) -> Gaussians:
    """The same Gaussians with what was said about their frame; what was not said stays."""
    frame = gaussians.frame
    frame = Frame(axes or frame.axes, metres_per_unit or frame.metres_per_unit)
    return replace(gaussians, frame=frame)

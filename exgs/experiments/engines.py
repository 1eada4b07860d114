"""The engines by name."""

from __future__ import annotations

from exgs.experiments.running import Engine


def engine(mode: str) -> Engine:
    """The engine called "virtual" or "real"."""
    from exgs.experiments.virtual import play_virtual

    return Engine(play_virtual, "virtual", ahead=True)

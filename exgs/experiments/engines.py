"""The engines by name."""

from __future__ import annotations

from exgs.experiments.running import Engine


def engine(mode: str) -> Engine:
    """The engine called "virtual" or "real"; only what it needs is imported."""
    if mode == "real":
        from exgs.experiments.real import play_real

        return Engine(play_real, mode, ahead=False, downloads=False)
    from exgs.experiments.virtual import play_virtual

    return Engine(play_virtual, "virtual", ahead=True)

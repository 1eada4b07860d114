"""The whole server at a glance, as JSON: what the status page reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from exgs.server.config import Limits
from exgs.server.library import SceneReport
from exgs.server.metrics import Metrics, total
from exgs.server.standing import SessionReport
from exgs.version import __version__


def overview(
    sessions: Sequence[SessionReport],
    scenes: Sequence[SceneReport],
    metrics: Metrics,
    *,
    limits: Limits,
    uptime_s: float,
) -> dict[str, Any]:
    """Plain values. No viewer's address, token or session key is among them."""
    return {
        "version": __version__,
        "uptime_s": round(uptime_s, 3),
        "max_sessions": limits.max_sessions,
        "delivered_bytes_per_s": round(sum(session.delivered_bytes_per_s for session in sessions)),
        "sent_bytes": int(total(metrics.sent_bytes)),
        "sessions_opened": int(total(metrics.opened)),
        "refused": int(total(metrics.refused)),
        "scenes_completed": int(total(metrics.completed)),
        "encodings_running": int(total(metrics.encodings)),
        "sessions": [_rounded(asdict(session)) for session in sessions],
        "scenes": [_rounded(asdict(scene)) for scene in scenes],
    }


def _rounded(values: dict[str, Any]) -> dict[str, Any]:
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in values.items()}

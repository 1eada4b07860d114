"""The server at a glance: sums, names that stay, and nothing about who the viewers are."""

import json
import re
from dataclasses import fields
from pathlib import Path

from exgs.server.config import Limits
from exgs.server.library import SceneReport
from exgs.server.metrics import Metrics
from exgs.server.overview import overview
from exgs.server.standing import SessionReport

ROOT = Path(__file__).resolve().parents[2]


def report(name: str, rate: float) -> SessionReport:
    return SessionReport(
        name, 2.0, "webrtc", "room", "streaming", 10, 4, 4000, rate, 100, "link", None, 0.0, 0.0, 1,
        (0, 4100, 0, 0, 0), (None, 25.5, None, None, None), 0, {"splats": 5.0},
    )  # fmt: skip


def document(metrics: Metrics | None = None) -> dict[str, object]:
    sessions = [report("a", 1e6), report("b", 1 / 3)]
    scenes = [SceneReport("room", 5, "ready", 1.0)]
    return overview(sessions, scenes, metrics or Metrics(), limits=Limits(max_sessions=7), uptime_s=12.3456)


def test_sums_and_parts() -> None:
    metrics = Metrics()
    metrics.sent_bytes.inc(8000)
    metrics.refused.labels("full").inc(2)
    metrics.refused.labels("token").inc()
    made = json.loads(json.dumps(document(metrics), allow_nan=False))
    assert (made["delivered_bytes_per_s"], made["sent_bytes"], made["refused"]) == (1_000_000, 8000, 3)
    assert (made["max_sessions"], made["uptime_s"], made["sessions_opened"]) == (7, 12.346, 0)
    assert [session["name"] for session in made["sessions"]] == ["a", "b"]
    assert made["sessions"][1]["delivered_bytes_per_s"] == 0.333333 and made["sessions"][0]["rtt_ms"] is None
    assert made["scenes"][0]["state"] == "ready"


def test_every_name_is_in_the_manual() -> None:
    manual = (ROOT / "docs" / "server.md").read_text(encoding="utf-8")
    names = [*document(), *(field.name for field in fields(SessionReport))]
    for name in (*names, *(field.name for field in fields(SceneReport))):
        assert f"`{name}`" in manual or f'"{name}"' in manual, name


def test_the_page_reads_what_there_is() -> None:
    script = (ROOT / "exgs" / "server" / "page.js").read_text(encoding="utf-8")
    known = {*document(), *(field.name for field in fields(SessionReport))}
    known |= {field.name for field in fields(SceneReport)} | {"error"}
    read = set(re.findall(r"\b(?:s|status)\.([a-z_]+)\b", script))
    assert read and read <= known

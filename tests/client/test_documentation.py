"""docs/client.md against the code."""

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from exgs.client.levels import LevelShare
from exgs.client.statistics import STAGES, PlaySummary
from exgs.client.status import LinkShare, Status
from exgs.painter import ENGINES, MODES, Verdict

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text(encoding="utf-8")
EACH_SECOND = PAGE[PAGE.index("### Each second") :].partition("\n## ")[0]


def test_every_stage_has_its_row():
    for stage in STAGES:
        assert f"`{stage}_ms`" in PAGE


def test_every_figure_of_the_summary_is_named():
    for name in PlaySummary.__dataclass_fields__:
        shortened = name.replace("frame_ms_p95", "_p95").replace("frame_ms_p99", "_p99")
        assert f"`{shortened}`" in PAGE, name


def test_every_field_of_each_second_has_its_row_and_no_row_is_too_much():
    rows = [row.split(" | ")[0] for row in EACH_SECOND.splitlines() if row.startswith("| `")]
    documented = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert documented == {field.name for field in fields(Status)}
    for part in (*fields(LinkShare), *fields(LevelShare)):
        assert f"`{part.name}`" in EACH_SECOND, part.name


def test_every_limiter_and_state_is_named():
    for word in (
        "link",
        "cpu",
        "cap",
        "budget",
        "silence",
        "complete",
        "open",
        "silent",
        "reconnecting",
        "lost",
        "ended",
    ):
        assert f"`{word}`" in EACH_SECOND, word


def test_every_mode_of_restoring_and_every_verdict_is_named():
    for word in (*MODES, *ENGINES, *get_args(Verdict)):
        assert f"`{word}`" in PAGE, word

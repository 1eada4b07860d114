"""docs/client.md against the code."""

from pathlib import Path

from exgs.client.statistics import STAGES, PlaySummary

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text(encoding="utf-8")


def test_every_stage_has_its_row():
    for stage in STAGES:
        assert f"`{stage}_ms`" in PAGE


def test_every_figure_of_the_summary_is_named():
    for name in PlaySummary.__dataclass_fields__:
        shortened = name.replace("frame_ms_p95", "_p95").replace("frame_ms_p99", "_p99")
        assert f"`{shortened}`" in PAGE, name

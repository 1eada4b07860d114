"""What an encoding came to: an object, rows of a table, and a doubt where most of a scene is gone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from exgs.cli.terminal import Phase, size

if TYPE_CHECKING:
    from exgs.codec.encoding.report import Report

SPENT = 0.9
"""Share of the budget below which the report says why the rest is not used."""
DOUBTFUL = 0.5
"""Share of a scene's Gaussians from which on it is told aloud that they were left out."""


TAKEN_OVER = {
    "analysis": "the scene's analysis was taken over",
    "fit": "the scene's analysis and the fit for another size were taken over: without them the file takes "
    "longer, and comes out better",
}
"""What is said of an encoding that took something out of a cache."""


def facts(report: Report, phases: Sequence[Phase]) -> dict[str, Any]:
    """The report as one flat object."""
    seconds = sum(phase.seconds for phase in phases if phase.name not in ("read", "write"))
    return {
        "method": report.method,
        "splats_in": report.splats_in,
        "splats_kept": report.splats_kept,
        "level_splats": report.level_splats,
        "sh_degree": report.sh_degree,
        "bytes": report.size_bytes,
        "fp16_bytes": report.fp16_bytes,
        "budget_bytes": report.budget_bytes,
        "floored": report.floored,
        "float_bytes": report.float_bytes,
        "ratio": round(report.ratio, 3),
        "section_bytes": report.section_bytes,
        "psnr": round(report.psnr_db, 3),
        "taken_over": report.taken_over,
        "views": report.views,
        "views_given": report.views_given,
        "photographs": report.photographs,
        "source_psnr": None if report.source_psnr_db is None else round(report.source_psnr_db, 3),
        "dropped": {
            "unsound": report.unsound, "invisible": report.invisible, "floaters": report.floaters,
            "never_seen": report.never_seen,
        },
        "seconds": round(seconds, 3),
        "phases": [
            {"name": phase.name, "seconds": round(phase.seconds, 3), "peak_bytes": phase.peak_bytes}
            for phase in phases
        ],
    }  # fmt: skip


def rows(report: Report, phases: Sequence[Phase]) -> list[tuple[str, str]]:
    """The report for a person."""
    kept = 100 * report.splats_kept / max(report.splats_in, 1)
    levels = " + ".join(f"{count:,}" for count in report.level_splats)
    sections = ", ".join(f"{name} {size(count)}" for name, count in report.section_bytes.items() if count)
    bytes_per_splat = report.size_bytes / max(report.splats_kept, 1)
    allowed = f"{size(report.budget_bytes)} allowed" + (" at any ratio" if report.floored else "")
    written = f"{size(report.size_bytes)} of {allowed}"
    if report.fp16_bytes is not None:
        written = f"{size(report.fp16_bytes)} at 28 bytes a splat (the file here: {written})"
    elif report.size_bytes < SPENT * report.budget_bytes:
        written += " (coded as finely as it can be)"
    own = f"PSNR {report.psnr_db:.2f} dB over its own views ({report.views})"
    if report.source_psnr_db is not None:
        own = (
            f"PSNR {report.psnr_db:.2f} dB over the {report.photographs} photographs that it was fitted to, "
            f"{report.source_psnr_db:.2f} dB before"
        )
    dropped = (
        f"{report.never_seen:,} never seen, {report.floaters:,} floaters, {report.invisible:,} invisible, "
        f"{report.unsound:,} unsound"
    )
    if report.unsound:
        dropped += f" ({_unsound()})"
    table = [
        ("splats", f"{report.splats_in:,} in, {report.splats_kept:,} kept ({kept:.1f} %); by level {levels}"),
        ("SH degree", f"{report.sh_degree_in} in, {report.sh_degree} kept"),
        ("left out", dropped),
        ("size", f"{written}, ratio {report.ratio:.1f}, {bytes_per_splat:.1f} bytes a splat"),
        ("sections", sections),
        ("quality", f"{own}; 'exgs compare' judges from others"),
        ("time", ", ".join(f"{phase.name} {phase.seconds:.1f} s" for phase in phases)),
        ("peak memory", ", ".join(f"{phase.name} {size(phase.peak_bytes)}" for phase in phases)),
    ]
    return table + ([("cache", TAKEN_OVER[report.taken_over])] if report.taken_over else [])


def doubt(report: Report) -> str | None:
    """What to say where most of a scene was left out, which may be as its maker meant it or a damage."""
    counts = {
        "hang alone in space": report.floaters,
        "are invisible (opacity below 1/255)": report.invisible,
        f"have {_unsound()}": report.unsound,
    }
    if sum(counts.values()) <= DOUBTFUL * report.splats_in:
        return None
    most = max(counts, key=lambda why: counts[why])
    return (
        f"{sum(counts.values()):,} of the scene's {report.splats_in:,} Gaussians were left out: "
        f"{counts[most]:,} of them {most}"
    )


def _unsound() -> str:
    from exgs.codec.encoding.prepare import FARTHEST  # has been imported by whoever has a report

    return f"a value that is not finite, no rotation, or a place beyond {FARTHEST:g} units"

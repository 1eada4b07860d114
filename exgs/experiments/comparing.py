"""Systems against each other over the sessions that they have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from exgs.experiments.figures import SEEN_SHARE, Row
from exgs.experiments.records import Record

HEADINGS = (
    "link", "system", "first, s", "90 %, s", "PSNR, dB", "worst 5 %", "final", "SSIM", "missing", "stalls",
    "MB", "Mbit/s",
)  # fmt: skip


def played(records: Sequence[Record]) -> list[Record]:
    """Those that were."""
    return [record for record in records if record.summary]


def overview(records: Sequence[Record]) -> list[list[str]]:
    """A table for a person: one row for each link and system, means over all else, under ``HEADINGS``.

    A time that was not reached in some session counts as the session's length, and has a ``>`` before it.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for record in played(records):
        groups.setdefault((record.names["link"], record.names["system"]), []).append(record.summary)
    rows = [list(HEADINGS)]
    for (link, system), group in groups.items():
        rows.append([
            link, system, _time(group, "first_frame_s"), _time(group, "nearly_final_s"),
            f"{_mean(group, 'psnr_mean'):.2f}", f"{_mean(group, 'psnr_p5'):.2f}",
            f"{_mean(group, 'psnr_final'):.2f}", f"{_mean(group, 'ssim_mean'):.3f}",
            f"{100 * _mean(group, 'missing_mean'):.1f} %", f"{_mean(group, 'stalls'):.1f}",
            f"{_mean(group, 'bytes_received') / 1e6:.2f}", f"{_mean(group, 'goodput_mbps'):.2f}",
        ])  # fmt: skip
    return rows


def comparisons(records: Sequence[Record], kinds: dict[str, str]) -> list[Row]:
    """The first system that orders by error against each other one, over the sessions both were played in.

    ``kinds`` names the kind of each system. ``psnr_gain_db`` is the mean difference of session means,
    ``psnr_gain_loading_db`` that of the frames until both have all of the scene;
    ``first_frame_ratio`` how many times as long the other took to its first frame, as a geometric mean, and
    ``first_frame_at_least`` whether the other had none in some session, which then counts as long as it was;
    ``whole_before_session`` in how many the other had all of the scene before a chunk could be chosen over
    our session.
    """
    ours = next((name for name, kind in kinds.items() if kind == "error"), None)
    found = []
    for other in [name for name in kinds if ours is not None and name != ours]:
        pairs = _pairs(records, str(ours), other)
        if not pairs:
            continue
        gains = [mine.summary["psnr_mean"] - its.summary["psnr_mean"] for mine, its in pairs]
        loading = [gain for mine, its in pairs for gain in _gains_loading(mine, its)]
        found.append({
            "system": ours, "against": other, "sessions": len(pairs),
            "psnr_gain_db": round(float(np.mean(gains)), 3),
            "psnr_gain_loading_db": round(float(np.mean(loading)), 3) if loading else None,
            **_ratio(pairs),
            "whole_before_session": sum(_whole_before_session(mine, its) for mine, its in pairs),
        })  # fmt: skip
    return found


def _gains_loading(mine: Record, its: Record) -> list[float]:
    """Differences of PSNR at the judged frames until both have all of the scene."""
    ends = [record.summary["complete_s"] for record in (mine, its)]
    end_s = float("inf") if None in ends else max(ends)
    pairs = zip(mine.frames, its.frames, strict=True)
    return [
        row["psnr"] - other["psnr"]
        for row, other in pairs
        if row["time_s"] < end_s and row["seen"] >= SEEN_SHARE
    ]


def _whole_before_session(mine: Record, its: Record) -> bool:
    """Whether the other was done while our session still shook hands: only the beginning was under way."""
    asked_s, whole_s = mine.summary["signalling_s"], its.summary["complete_s"]
    if asked_s is None or whole_s is None:
        return False
    chosen = [row["chosen_s"] for row in mine.chunks if row["chosen_s"] > asked_s]
    return bool(chosen) and whole_s <= min(chosen)


def _pairs(records: Sequence[Record], ours: str, other: str) -> list[tuple[Record, Record]]:
    """Both systems in the same scene, head, link and seed; a file without sizes meets all sizes."""
    its = {_place(record): record for record in played(records) if record.names["system"] == other}
    pairs = []
    for record in played(records):
        scene, _, *rest = _place(record)
        match = its.get(_place(record), its.get((scene, "", *rest)))
        if record.names["system"] == ours and match is not None:
            pairs.append((record, match))
    return pairs


def _place(record: Record) -> tuple[Any, ...]:
    return tuple(record.names[name] for name in ("scene", "ratio", "link", "head", "seed"))


def _ratio(pairs: Sequence[tuple[Record, Record]]) -> Row:
    known = [(mine.summary, its.summary) for mine, its in pairs if mine.summary["first_frame_s"] is not None]
    if not known:
        return {"first_frame_ratio": None, "first_frame_at_least": False}
    ratios = [_late(its) / max(mine["first_frame_s"], 1e-6) for mine, its in known]
    return {
        "first_frame_ratio": round(float(np.exp(np.mean(np.log(ratios)))), 3),
        "first_frame_at_least": any(its["first_frame_s"] is None for _, its in known),
    }


def _late(row: Row) -> float:
    """Time to the first frame, at least."""
    return float(row["seconds"] if row["first_frame_s"] is None else row["first_frame_s"])


def _mean(group: Sequence[Row], name: str) -> float:
    return float(np.mean([row[name] for row in group]))


def _time(group: Sequence[Row], name: str) -> str:
    times = [row["seconds"] if row[name] is None else row[name] for row in group]
    return f"{'>' if any(row[name] is None for row in group) else ''}{np.mean(times):.2f}"

"""What a session comes to in numbers: rows for frames and chunks, and one for all of it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from exgs.experiments.judging import Verdict
from exgs.experiments.timeline import FrameRow, Timeline

Row = dict[str, Any]

STAGES = ("signalling_s", "first_chunk_s", "other_chunks_s", "decode_and_show_s")
"""What the time to the first frame is made of."""
STALL_S = 0.5
"""Nothing new on display for longer than this, while more was to come, is a stall."""
SEEN_SHARE = 0.01
"""Frames in which the source shows anything in less than this share of the picture are left out of means:
where a head looks past the scene, there is nothing to be judged."""
NEAR_SHARE = 0.01
"""A frame lacks its near field where more than this share of it is missing."""
FINAL_SHARE = 0.9
"""Of the whole scene's PSNR: what the time to nearly final quality waits for."""


@dataclass(frozen=True)
class Judged:
    """A session that was judged."""

    timeline: Timeline
    """What happened."""
    times_s: Sequence[float]
    """The moments that were judged."""
    verdicts: Sequence[tuple[Verdict, Verdict]]
    """For each, what was shown, and the whole scene as it would have been."""
    nearly_final_s: float | None
    """When the PSNR first was ``FINAL_SHARE`` of the whole scene's; None for never."""


def judged_times(seconds: float, per_second: float) -> list[float]:
    """Moments in the middle of equal parts of the session."""
    count = max(1, round(seconds * per_second))
    return [(number + 0.5) * seconds / count for number in range(count)]


def frame_rows(judged: Judged) -> list[Row]:
    """One row for each judged frame."""
    due = [frame.time_s for frame in judged.timeline.frames]
    rows = []
    for time_s, (now, final) in zip(judged.times_s, judged.verdicts, strict=True):
        frame = _frame_before(judged.timeline, due, time_s)
        rows.append({
            "time_s": time_s, "psnr": now.psnr, "ssim": now.ssim, "missing": now.missing,
            "near_missing": now.near_missing, "seen": now.seen,
            "psnr_final": final.psnr, "ssim_final": final.ssim,
            "chunks": len(judged.timeline.shown_at(time_s)),
            "bytes_received": frame.bytes_received if frame else 0,
            "limiter": frame.limiter if frame else "",
        })  # fmt: skip
    return rows


def chunk_rows(timeline: Timeline) -> list[Row]:
    """One row for each sending of a chunk."""
    return [
        {
            "chunk": row.chunk, "level": row.level, "size_bytes": row.size_bytes, "splats": row.splats,
            "chosen_s": row.chosen_s, "received_s": row.received_s, "shown_s": row.shown_s,
            "gone_s": row.gone_s, "redundant": int(row.redundant),
        }
        for row in timeline.chunks
    ]  # fmt: skip


def summary_row(judged: Judged) -> Row:
    """One row for the session."""
    timeline = judged.timeline
    seen = [pair for pair in judged.verdicts if pair[0].seen >= SEEN_SHARE]
    counted = seen or judged.verdicts
    now = [verdict for verdict, _ in counted]
    psnrs = [verdict.psnr for verdict in now]
    stalls = stall_spans(timeline)
    return {
        "first_frame_s": timeline.first_frame_s,
        "nearly_final_s": judged.nearly_final_s,
        "complete_s": timeline.complete_s,
        "psnr_mean": float(np.mean(psnrs)),
        "psnr_p5": float(np.percentile(psnrs, 5)),
        "psnr_final": float(np.mean([final.psnr for _, final in counted])),
        "ssim_mean": float(np.mean([verdict.ssim for verdict in now])),
        "missing_mean": float(np.mean([verdict.missing for verdict in now])),
        "near_missing_frames": float(np.mean([verdict.near_missing > NEAR_SHARE for verdict in now])),
        "frames_seen": len(seen),
        "stalls": len(stalls),
        "stalled_s": math.fsum(stop_s - start_s for start_s, stop_s in stalls),
        "bytes_sent": timeline.bytes_sent,
        "bytes_received": timeline.bytes_received,
        "redundant_bytes": timeline.redundant_bytes,
        "goodput_mbps": timeline.goodput_bytes_per_s * 8e-6,
        "wire_bytes_down": timeline.wire_bytes_down,
        "wire_bytes_up": timeline.wire_bytes_up,
        "packets_lost": timeline.packets_lost,
        "links": timeline.links,
        "reconnects": timeline.reconnects,
        "seconds": timeline.trial.seconds,
        **latency(timeline),
    }


def latency(timeline: Timeline) -> Row:
    """The stages, one after the other, of the time to the first frame, in seconds; None where not reached.

    ``signalling_s`` ends when the viewer can ask for a scene, ``first_chunk_s`` takes from there until a
    chunk has arrived, ``other_chunks_s`` until all have that the first frame shows, ``decode_and_show_s``
    until it does.
    """
    received = [row.received_s for row in timeline.chunks if row.received_s is not None]
    first_s = float("-inf") if timeline.first_frame_s is None else timeline.first_frame_s
    needed = [row.received_s for row in timeline.chunks if row.shown_s is not None and row.shown_s <= first_s]
    ends = (
        timeline.opened_s, min(received, default=None), max(filter(None, needed), default=None),
        timeline.first_frame_s,
    )  # fmt: skip
    before, stages = 0.0, {}
    for name, end in zip(STAGES, ends, strict=True):
        stages[name] = None if end is None else max(end - before, 0.0)
        before = before if end is None else max(end, before)
    return stages


def stall_spans(timeline: Timeline) -> list[tuple[float, float]]:
    """From when to when nothing new came on display for longer than ``STALL_S`` while more was to come.

    Counted from the first frame until all is there, or the session ends, or, where the viewer's budget of
    splats holds no more, until the last chunk.
    """
    if timeline.first_frame_s is None:
        return []
    shown = sorted(row.shown_s for row in timeline.chunks if row.shown_s is not None)
    end_s = timeline.trial.seconds if timeline.complete_s is None else timeline.complete_s
    if timeline.complete_s is None and timeline.trial.max_splats is not None:
        end_s = shown[-1]
    moments = [timeline.first_frame_s, *(at for at in shown if timeline.first_frame_s < at < end_s), end_s]
    return [span for span in itertools.pairwise(moments) if span[1] - span[0] > STALL_S]


def rounded(row: Mapping[str, Any]) -> Row:
    """The row with numbers as they are written: microseconds, and millionths of anything else."""
    return {name: round(value, 6) if isinstance(value, float) else value for name, value in row.items()}


def _frame_before(timeline: Timeline, due: list[float], time_s: float) -> FrameRow | None:
    """The newest frame that was due by then."""
    index = int(np.searchsorted(due, time_s, side="right")) - 1
    return timeline.frames[index] if index >= 0 else None

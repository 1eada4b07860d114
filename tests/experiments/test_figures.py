"""Sessions in numbers."""

from dataclasses import replace

import numpy as np
import pytest

from exgs.experiments.figures import (
    STAGES,
    Judged,
    chunk_rows,
    frame_rows,
    judged_times,
    latency,
    rounded,
    stall_spans,
    summary_row,
)
from exgs.experiments.judging import Verdict
from tests.experiments.sessions import container, timeline


def count() -> int:
    return len(container().manifest)


def judged(psnrs: list[float]) -> Judged:
    final = Verdict(40.0, 1.0, 0.0, 0.0)
    verdicts = [(Verdict(psnr, 0.5, 0.2, 0.02 if psnr < 20 else 0.0), final) for psnr in psnrs]
    return Judged(timeline([0.5] * count()), judged_times(4.0, len(psnrs) / 4), verdicts, 1.25)


def test_times_are_the_middles_of_equal_parts() -> None:
    assert judged_times(4.0, 0.5) == [1.0, 3.0]
    assert len(judged_times(8.0, 5.0)) == 40
    assert judged_times(0.1, 0.1) == [0.05]


def test_a_session_has_its_means_and_its_worst_twentieth() -> None:
    row = summary_row(judged([10.0, 20.0, 30.0, 40.0]))
    assert row["psnr_mean"] == 25
    assert row["psnr_p5"] == pytest.approx(np.percentile([10, 20, 30, 40], 5))
    assert row["psnr_final"] == 40
    assert row["near_missing_frames"] == 0.25
    assert row["missing_mean"] == pytest.approx(0.2)
    assert row["nearly_final_s"] == 1.25
    assert row["first_frame_s"] == row["complete_s"] == 0.5
    assert row["stalls"] == 0


def test_frames_that_see_nothing_are_left_out_of_means() -> None:
    nothing = replace(Verdict(100.0, 1.0, 0.0, 0.0), seen=0.005)
    full = judged([10.0, 20.0])
    away = replace(full, times_s=[*full.times_s, 3.9], verdicts=[*full.verdicts, (nothing, nothing)])
    row = summary_row(away)
    assert row["psnr_mean"] == 15 and row["frames_seen"] == 2 and row["psnr_final"] == 40
    assert len(frame_rows(away)) == 3
    only = summary_row(replace(full, times_s=[1.0], verdicts=[(nothing, nothing)]))
    assert only["psnr_mean"] == 100 and only["frames_seen"] == 0


def test_stages_add_up_to_the_first_frame() -> None:
    stages = latency(timeline([0.5] * count()))
    assert tuple(stages) == STAGES
    assert sum(stages.values()) == pytest.approx(0.5)
    assert stages["signalling_s"] == 0.05 and stages["decode_and_show_s"] == pytest.approx(0.01)
    assert list(latency(timeline([None] * count())).values()) == [0.05, None, None, None]


def test_a_stall_is_half_a_second_without_anything_new() -> None:
    steady = np.linspace(0.3, 3.0, count()).tolist()
    if count() > 7:
        assert stall_spans(timeline(steady)) == []
    roots = sum(chunk.parent < 0 for chunk in container().manifest)
    late = [0.3] * roots + [2.0] * (count() - roots)
    assert stall_spans(timeline(late)) == [(0.3, 2.0)]
    missing = [*late[:-1], None]
    assert stall_spans(timeline(missing)) == [(0.3, 2.0), (2.0, 4.0)]
    assert stall_spans(timeline(missing, max_splats=10_000)) == [(0.3, 2.0)]
    assert stall_spans(timeline([None] * count())) == []


def test_frames_and_chunks_have_rows() -> None:
    rows = frame_rows(judged([10.0, 20.0, 30.0, 40.0]))
    assert [row["time_s"] for row in rows] == [0.5, 1.5, 2.5, 3.5]
    assert [row["psnr"] for row in rows] == [10, 20, 30, 40]
    assert rows[0]["chunks"] == count()
    assert rows[-1]["bytes_received"] == sum(chunk.size_bytes for chunk in container().manifest)
    chunks = chunk_rows(timeline([*([0.5] * (count() - 1)), None]))
    assert len(chunks) == count()
    assert chunks[-1]["received_s"] is None and chunks[0]["shown_s"] == 0.5


def test_numbers_are_rounded_and_nothing_else() -> None:
    assert rounded({"a": 1 / 3, "b": None, "c": 5, "d": "x"}) == {"a": 0.333333, "b": None, "c": 5, "d": "x"}


def test_a_session_without_frames_is_sound() -> None:
    bare = replace(timeline([0.5] * count()), frames=())
    row = frame_rows(replace(judged([10.0]), timeline=bare))[0]
    assert row["bytes_received"] == 0 and row["limiter"] == ""

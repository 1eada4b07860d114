"""Plots of an experiment, where matplotlib is installed (the extra ``experiments``)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from exgs.experiments.comparing import played
from exgs.experiments.figures import SEEN_SHARE, STAGES, Row
from exgs.experiments.records import Record

SUFFIX = ".png"
BINS = 24
"""Parts of the bytes' axis within which sessions are averaged."""


def missing_library() -> str:
    """Why there will be no plots; empty where there will be."""
    if importlib.util.find_spec("matplotlib") is None:
        return "no plots: matplotlib is not installed (pip install 'exgs[experiments]')"
    return ""


def write_plots(folder: Path, records: Sequence[Record], title: str) -> list[Path]:
    """Writes every plot of the sessions that were played; gives their names.

    Raises:
        OSError: the folder cannot be written to.
    """
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    sessions = played(records)
    written = []
    for name, draw in PLOTS.items():
        figure = Figure(figsize=(7.2, 4.2), dpi=120, layout="constrained")
        draw(figure, sessions)
        figure.suptitle(title, fontsize=10)
        written.append(folder / f"{name}{SUFFIX}")
        figure.savefig(written[-1])
    return written


def _quality_over_time(figure: Any, sessions: Sequence[Record]) -> None:
    """Mean PSNR of all sessions at each moment, a panel for each link."""
    links = list(dict.fromkeys(record.names["link"] for record in sessions))[:4]
    panels = figure.subplots(1, max(len(links), 1), sharey=True, squeeze=False)[0]
    for panel, link in zip(panels, links, strict=False):
        here = [record for record in sessions if record.names["link"] == link]
        for system, rows in _by_system(here).items():
            times = sorted({row["time_s"] for row in rows})
            means = [np.mean([row["psnr"] for row in rows if row["time_s"] == at_s]) for at_s in times]
            panel.plot(times, means, label=system)
        panel.set(title=link, xlabel="seconds since the offer")
        panel.title.set_fontsize(9)
    panels[0].set_ylabel("PSNR, dB")
    panels[0].legend(fontsize=8)


def _quality_by_bytes(figure: Any, sessions: Sequence[Record]) -> None:
    """Mean PSNR of all frames that had about as many bytes."""
    axes = figure.subplots()
    for system, rows in _by_system(sessions).items():
        received = np.array([row["bytes_received"] for row in rows], float)
        psnrs = np.array([row["psnr"] for row in rows])
        edges = np.linspace(0, max(received.max(), 1.0), BINS + 1)
        part = np.clip(np.searchsorted(edges, received, side="right") - 1, 0, BINS - 1)
        parts = np.unique(part)
        means = [psnrs[part == index].mean() for index in parts]
        axes.plot([received[part == index].mean() / 1e6 for index in parts], means, marker=".", label=system)
    axes.set(xlabel="MB received", ylabel="PSNR, dB")
    axes.legend(fontsize=8)


def _frame_cdf(figure: Any, sessions: Sequence[Record]) -> None:
    """Which share of all frames is worse."""
    axes = figure.subplots()
    for system, rows in _by_system(sessions).items():
        values = np.sort([row["psnr"] for row in rows])
        axes.plot(values, np.arange(1, len(values) + 1) / len(values), label=system)
    axes.set(xlabel="PSNR of a frame, dB", ylabel="share of frames")
    axes.legend(fontsize=8)


def _first_frame_cdf(figure: Any, sessions: Sequence[Record]) -> None:
    """Which share of sessions had a first frame by then."""
    axes = figure.subplots()
    for system in dict.fromkeys(record.names["system"] for record in sessions):
        rows = [record.summary for record in sessions if record.names["system"] == system]
        times = np.sort([row["first_frame_s"] for row in rows if row["first_frame_s"] is not None])
        end_s = max(row["seconds"] for row in rows)
        shares = np.arange(len(times) + 1) / len(rows)
        axes.step([0.0, *times, end_s], [*shares, shares[-1]], where="post", label=system)
    axes.set(xlabel="seconds to the first frame", ylabel="share of sessions", xscale="symlog", ylim=(0, 1.02))
    axes.legend(fontsize=8)


def _latency(figure: Any, sessions: Sequence[Record]) -> None:
    """The mean stages of the time to the first frame, one on the other."""
    axes = figure.subplots()
    systems = list(dict.fromkeys(record.names["system"] for record in sessions))
    left = np.zeros(len(systems))
    for stage in STAGES:
        means = np.array([_mean_stage(sessions, system, stage) for system in systems])
        axes.barh(systems, means, left=left, label=stage.removesuffix("_s").replace("_", " "))
        left += means
    axes.invert_yaxis()
    axes.set(xlabel="seconds from the offer to the first frame, mean of the sessions that had one")
    axes.legend(fontsize=8)


def _mean_stage(sessions: Sequence[Record], system: str, stage: str) -> float:
    rows = [record.summary for record in sessions if record.names["system"] == system]
    known = [row[stage] for row in rows if row["first_frame_s"] is not None and row[stage] is not None]
    return float(np.mean(known)) if known else 0.0


def _by_system(sessions: Sequence[Record]) -> dict[str, list[Row]]:
    """Judged frames of each system in which there is anything to be seen, over all of its sessions."""
    found: dict[str, list[Row]] = {}
    for record in sessions:
        rows = [row for row in record.frames if row["seen"] >= SEEN_SHARE]
        found.setdefault(record.names["system"], []).extend(rows or record.frames)
    return found


PLOTS: Mapping[str, Callable[[Any, Sequence[Record]], None]] = MappingProxyType({
    "quality-over-time": _quality_over_time,
    "quality-by-bytes": _quality_by_bytes,
    "cdf-frame-psnr": _frame_cdf,
    "cdf-first-frame": _first_frame_cdf,
    "latency": _latency,
})  # fmt: skip
"""Every plot by the name of its file."""

"""Plots of an experiment, where matplotlib is installed (the extra ``experiments``)."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from exgs.experiments.comparing import played
from exgs.experiments.figures import SEEN_SHARE, STAGES, Row
from exgs.experiments.records import Record
from exgs.scene.formats.atomic import replacing

SUFFIX = ".png"
BINS = 24
"""Parts of the bytes' axis within which sessions are averaged."""
MAX_PANELS = 4
"""Side by side in one plot; what would need more is left out."""
CEILING_DB = 60.0
"""Curves of PSNR are cut off above this."""


def missing_library() -> str:
    """Why there will be no plots; empty where there will be."""
    if importlib.util.find_spec("matplotlib") is None:
        return "no plots: matplotlib is not installed (pip install 'exgs[experiments]')"
    return ""


def write_plots(folder: Path, records: Sequence[Record], title: str) -> list[Path]:
    """Writes every plot of the sessions that were played; gives their names.

    Raises:
        SceneError: the folder cannot be written to.
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
        with replacing(written[-1]) as file:
            figure.savefig(file, format=SUFFIX.removeprefix("."))
    return written


def _quality_over_time(figure: Any, sessions: Sequence[Record]) -> None:
    """Mean PSNR of all sessions at each moment, a panel for each link."""
    for panel, here in _panels(figure, sessions, ("link",)):
        for system, rows in _by_system(here).items():
            times = sorted({row["time_s"] for row in rows})
            means = [np.mean([row["psnr"] for row in rows if row["time_s"] == at_s]) for at_s in times]
            panel.plot(times, means, label=system)
        panel.set(xlabel="seconds since the offer", ylabel="PSNR, dB")
        _finish(panel)


def _quality_by_bytes(figure: Any, sessions: Sequence[Record]) -> None:
    """Mean PSNR of all frames that had about as many bytes, a panel for each encoded scene."""
    for panel, here in _panels(figure, sessions, ("scene", "ratio")):
        for system, rows in _by_system(here).items():
            received = np.array([row["bytes_received"] for row in rows], float)
            psnrs = np.array([row["psnr"] for row in rows])
            edges = np.linspace(0, max(received.max(), 1.0), BINS + 1)
            part = np.clip(np.searchsorted(edges, received, side="right") - 1, 0, BINS - 1)
            parts = np.unique(part)
            means = [psnrs[part == index].mean() for index in parts]
            amounts = [received[part == index].mean() / 1e6 for index in parts]
            panel.plot(amounts, means, marker=".", drawstyle="steps-post", label=system)
        panel.set(xlabel="MB received", ylabel="PSNR, dB")
        _finish(panel)


def _panels(
    figure: Any, sessions: Sequence[Record], names: Sequence[str]
) -> Iterator[tuple[Any, list[Record]]]:
    """A panel for each of the first few values of the columns ``names``, and its sessions.

    Sessions in which a column is empty belong to every panel that their other columns allow.
    """
    values = [tuple(record.names[name] for name in names) for record in sessions]
    full = [value for value in dict.fromkeys(values) if all(value)] or list(dict.fromkeys(values))
    shown = full[:MAX_PANELS]
    panels = figure.subplots(1, max(len(shown), 1), sharey=True, squeeze=False)[0]
    for panel, value in zip(panels, shown, strict=False):
        here = [
            record
            for record, its in zip(sessions, values, strict=True)
            if all(own in (wanted, "") for own, wanted in zip(its, value, strict=True))
        ]
        panel.set_title(" ".join(str(word) for word in value), fontsize=9)
        yield panel, here


def _finish(panel: Any) -> None:
    """The legend; and what is perfect does not flatten the rest."""
    panel.set_ylim(top=min(panel.get_ylim()[1], CEILING_DB))
    panel.label_outer()
    if panel.get_subplotspec().is_first_col():
        panel.legend(fontsize=8)


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

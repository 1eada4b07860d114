"""The plot of reconstruction's benchmark: what more views bring, and what they take."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.feedforward import LABELS

PANELS = (("psnr", "PSNR of views between, dB"), ("gaussians", "Gaussians"), ("seconds", "seconds"))
"""What is drawn of the scores, and what it is called."""
COLORS = {"interior": "tab:blue", "object": "tab:orange"}
STYLES: dict[str, dict[str, Any]] = {
    "with": {"linestyle": "-", "marker": "o"},
    "without": {"linestyle": "--", "marker": "x"},
}


def plot(target: Path, kinds: dict[str, Any], memory: Sequence[dict[str, Any]]) -> None:
    """Views against PSNR, Gaussians, seconds and memory."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib.figure import Figure

    from exgs.feedforward.evaluation import COUNTS

    figure = Figure(figsize=(9.6, 6.0), dpi=120, layout="constrained")
    *panels, taken = figure.subplots(2, 2).ravel()
    for panel, (name, title) in zip(panels, PANELS, strict=True):
        _draw_scores(panel, name, kinds)
        panel.set_title(title, fontsize=10)
    for way, label in LABELS.items():
        some = [row for row in memory if row["case"] == way]
        counts, taken_mb = [row["views"] for row in some], [row["bytes"] / 1e6 for row in some]
        taken.plot(counts, taken_mb, color=COLORS["interior"], label=label, **STYLES[way])
    taken.set_title("peak memory of an interior, MB", fontsize=10)
    for panel in (*panels, taken):
        panel.set_xlabel("views")
        panel.set_xticks(COUNTS)
        panel.set_ylim(bottom=None if panel is panels[0] else 0)
    panels[0].legend(fontsize=7)
    figure.savefig(target)


def _draw_scores(panel: Any, name: str, kinds: dict[str, Any]) -> None:
    """A line for each kind of scene, with and without ZPressor."""
    for kind, cases in kinds.items():
        for way, scores in cases.items():
            counts, values = [score["views"] for score in scores], [score[name] for score in scores]
            panel.plot(counts, values, color=COLORS[kind], label=f"{kind}s, {LABELS[way]}", **STYLES[way])

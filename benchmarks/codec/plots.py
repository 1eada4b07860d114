"""Curves of all systems, one panel a scene, one figure a measure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from benchmarks.codec.rows import Row
from benchmarks.codec.systems import SYSTEMS

MEASURES = {"psnr": "PSNR, dB", "ssim": "SSIM", "flip": "FLIP (less is better)"}
CURVES = {
    "ugc": (("ugc",), "#d62728", "o"),
    "exgs": (("exgs",), "#7f7f7f", "v"),
    "decimate+sog": (("decimate+sog", "sog"), "#1f77b4", "s"),
    "decimate+spz": (("decimate+spz", "spz4"), "#2ca02c", "^"),
    "decimate+compressed": (("decimate+compressed", "compressed"), "#9467bd", "D"),
}
"""A curve: the systems whose rows lie on it, colour and marker."""
COLUMNS = 5
DPI, COLORS = 140, 48
"""Resolution and palette: the repository keeps the pictures, so they are to be small."""


def curve(rows: Sequence[Row], scene: str, systems: Sequence[str], measure: str) -> list[tuple[int, float]]:
    """Bytes and measure of the rows of a curve, by bytes."""
    found = [row for row in rows if row.scene == scene and row.system in systems and row.done]
    return sorted((row.bytes or 0, float(getattr(row, measure))) for row in found)


def draw_curves(rows: Sequence[Row], folder: Path) -> list[Path]:
    """One PNG a measure; none where matplotlib is absent."""
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("Agg")
    matplotlib.rcParams.update({"font.size": 7})
    scenes = list(dict.fromkeys(row.scene for row in rows if row.done))
    return [_figure(rows, scenes, measure, folder / f"rate-{measure}.png") for measure in MEASURES if scenes]


def _figure(rows: Sequence[Row], scenes: list[str], measure: str, path: Path) -> Path:
    import matplotlib.pyplot as plt

    across = min(COLUMNS, len(scenes))
    down = -(-len(scenes) // across)
    figure, axes = plt.subplots(down, across, figsize=(2.4 * across, 1.9 * down + 0.4), squeeze=False)
    for place, panel in enumerate(axes.flat):
        if place >= len(scenes):
            panel.set_visible(False)
            continue
        _panel(panel, rows, scenes[place], measure)
    figure.supxlabel("bytes")
    figure.supylabel(MEASURES[measure])
    handles, labels = axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", ncols=len(CURVES), frameon=False)
    figure.tight_layout(rect=(0.01, 0, 1, 0.95))
    figure.savefig(path, dpi=DPI, metadata={"Software": None})
    plt.close(figure)
    Image.open(path).convert("RGB").quantize(COLORS).save(path, optimize=True)
    return path


def _panel(panel: Any, rows: Sequence[Row], scene: str, measure: str) -> None:
    for name, (systems, color, marker) in CURVES.items():
        points = curve(rows, scene, systems, measure)
        across, up = [point[0] for point in points], [point[1] for point in points]
        label = SYSTEMS[name].label
        panel.plot(across, up, color=color, marker=marker, markersize=2.5, linewidth=1, label=label)
    panel.set_xscale("log")
    panel.set_title(scene, fontsize=8)
    panel.grid(alpha=0.3, linewidth=0.4)
    panel.tick_params(labelsize=6)

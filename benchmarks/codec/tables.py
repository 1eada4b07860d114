"""Rows to Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.codec.rows import Row, meets
from benchmarks.codec.systems import AS_THEY_ARE, AT_EQUAL_BYTES, OURS, PUBLISHED, SYSTEMS

FORMATS = ("decimate+sog", "decimate+spz", "decimate+sog-0")
"""Of these the better one is what ours is held against at equal bytes."""
STAND_IN = (
    "**Judged by the product's own rasteriser**: ../shared/referee, or g++ to compile it, was absent where "
    "rows are marked with a star."
)
NONE = "-"


def markdown(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table."""
    rows = [list(head), ["---"] * len(head), *map(list, lines)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in rows)


def rate_distortion(rows: Sequence[Row]) -> str:
    """Every scene at every ratio: PSNR of all systems at equal bytes, and what ours gains."""
    systems = [name for name in AT_EQUAL_BYTES if any(row.system == name for row in rows)]
    head = ["scene", "ratio", "budget, bytes", *(f"{SYSTEMS[name].label}, dB" for name in systems)]
    head += [
        "ours: bytes",
        "worst view, dB",
        "SSIM",
        "FLIP",
        "over ExGS, dB",
        "over the better SOG or SPZ, dB",
    ]
    lines = []
    for scene, ratio in _settings(rows):
        found = {row.system: row for row in rows if (row.scene, row.ratio) == (scene, ratio)}
        ours, published = found.get(OURS), found.get(PUBLISHED)
        better = [found[name].psnr for name in FORMATS if name in found and found[name].done]
        peer = max((psnr for psnr in better if psnr is not None), default=None)
        lines.append([
            scene + ("*" if any(row.judge == "exgs" for row in found.values()) else ""), f"{ratio:g}",
            f"{next(iter(found.values())).budget:,}", *(psnr_cell(found.get(name)) for name in systems),
            *_details(ours), gain(ours, published.psnr if published else None), gain(ours, peer),
        ])  # fmt: skip
    stand_in = f"\n\n{STAND_IN}" if any(row.judge == "exgs" for row in rows) else ""
    return markdown(head, lines) + stand_in + _notes(rows)


def high_rate(rows: Sequence[Row]) -> str:
    """The formats that keep every Gaussian, and ours at their bytes and at their PSNR."""
    head = ["scene", "format", "ratio", "bytes", "PSNR, dB", "ours at these bytes, dB",
            "ours at this PSNR: bytes", "of theirs"]  # fmt: skip
    lines = []
    for peer in (row for row in rows if row.system in AS_THEY_ARE):
        if peer.psnr is None or peer.bytes is None:
            lines.append([peer.scene, SYSTEMS[peer.system].label, *[NONE] * 5, peer.note])
            continue
        ours = [row for row in rows if (row.scene, row.system) == (peer.scene, OURS) and row.done]
        equal = meets(peer, rows)
        enough = [row.bytes for row in ours if row.bytes and row.psnr and row.psnr >= peer.psnr]
        least = min(enough, default=None)
        lines.append([
            peer.scene, SYSTEMS[peer.system].label, f"{peer.float_bytes / peer.bytes:.1f}", f"{peer.bytes:,}",
            f"{peer.psnr:.2f}", psnr_cell(equal), f"{least:,}" if least else "not reached",
            f"{100 * least / peer.bytes:.0f} %" if least else NONE,
        ])  # fmt: skip
    return markdown(head, lines)


def splat_bytes(rows: Sequence[Row]) -> str:
    """Bytes of our files over the Gaussians of their finest level, all levels included."""
    ratios = sorted({ratio for _, ratio in _settings(rows)})
    lines = []
    for scene in dict.fromkeys(row.scene for row in rows):
        cells = [scene]
        for ratio in ratios:
            row = _find(rows, scene, OURS, ratio)
            cells.append(f"{row.bytes / row.splats:.2f}" if row and row.bytes and row.splats else NONE)
        lines.append(cells)
    return markdown(["scene", *(f"ratio {ratio:g}" for ratio in ratios)], lines)


def effort(rows: Sequence[Row], ratio: float = 107.0) -> str:
    """Seconds and memory of the encoders, seconds of the decoders, at one ratio."""
    systems = [name for name in AT_EQUAL_BYTES if any(row.system == name and row.done for row in rows)]
    head = ["scene", *(f"{SYSTEMS[name].label}: encode, s / MiB / decode, s" for name in systems)]
    lines = []
    for scene in dict.fromkeys(row.scene for row in rows):
        found = [_find(rows, scene, name, ratio) for name in systems]
        if any(found):
            lines.append([scene, *(effort_cell(row) for row in found)])
    return markdown(head, lines)


def conditions(rows: Sequence[Row]) -> str:
    """Machines, dates, versions and jobs of the rows."""
    done = [row for row in rows if row.done]
    parts = {
        "Machine": {row.machine for row in done},
        "Dates": {row.date for row in done},
        "Versions": {row.version for row in done},
        "Measurements at once": {str(row.jobs) for row in done},
        "Views": {f"{row.views} judged by {row.judge}" for row in done},
    }
    return "\n".join(f"- {name}: {', '.join(sorted(values)) or NONE}" for name, values in parts.items())


def psnr_cell(row: Row | None) -> str:
    """PSNR of a row, or that there is none."""
    return f"{row.psnr:.2f}" if row is not None and row.psnr is not None else NONE


def gain(row: Row | None, other: float | None) -> str:
    """What a row has over another PSNR."""
    return f"{row.psnr - other:+.1f}" if row and row.psnr is not None and other is not None else NONE


def effort_cell(row: Row | None) -> str:
    """Seconds, memory, seconds."""
    return f"{row.encode_s:.1f} / {row.peak_mib:.0f} / {row.decode_s:.1f}" if row and row.done else NONE


def _details(row: Row | None) -> list[str]:
    if row is None or not row.done:
        return [NONE] * 4
    return [f"{row.bytes:,}", f"{row.psnr_min:.2f}", f"{row.ssim:.4f}", f"{row.flip:.4f}"]


def _settings(rows: Sequence[Row]) -> list[tuple[str, float]]:
    found = {(row.scene, row.ratio) for row in rows if row.ratio is not None}
    order = list(dict.fromkeys(row.scene for row in rows))
    return sorted(found, key=lambda setting: (order.index(setting[0]), setting[1]))


def _find(rows: Sequence[Row], scene: str, system: str, ratio: float) -> Row | None:
    wanted = (scene, system, ratio)
    return next((row for row in rows if (row.scene, row.system, row.ratio) == wanted and row.done), None)


def _notes(rows: Sequence[Row]) -> str:
    """Why cells are empty, once for each system and reason."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row.note and row.ratio is not None:
            told.setdefault((SYSTEMS[row.system].label, row.note), []).append(f"{row.scene} at {row.ratio:g}")
    lines = [f"- {label}: {note} ({', '.join(where)})" for (label, note), where in told.items()]
    return "\n\n" + "\n".join(lines) if lines else ""

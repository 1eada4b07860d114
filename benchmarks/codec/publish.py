"""Tables, plots and pictures, and the marked places of a document that take them."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.codec import tables
from benchmarks.codec.plots import MEASURES, draw_curves
from benchmarks.codec.rows import Row
from benchmarks.codec.scenes import credit
from benchmarks.codec.sheets import IN_THE_DOCUMENT, draw_sheets


def publish(rows: Sequence[Row], out: Path, document: Path | None, figures: Path | None) -> None:
    """Writes OUT/tables.md and the figures, and fills the marked blocks of ``document``."""
    folder = figures or out / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    plots = draw_curves(rows, folder)
    if not plots:
        print("no plots: matplotlib is absent (pip install '.[experiments]'), or no rows", file=sys.stderr)
    scenes = IN_THE_DOCUMENT if figures else list(dict.fromkeys(row.scene for row in rows))
    sheets = draw_sheets(rows, out / "pictures", folder, scenes)
    blocks = {
        "conditions": tables.conditions(rows),
        "rate-distortion": tables.rate_distortion(rows),
        "plots": _plots(plots, document),
        "high-rate": tables.high_rate(rows),
        "bytes-per-gaussian": tables.splat_bytes(rows),
        "effort": tables.effort(rows),
        "pictures": _sheets(sheets, document),
    }
    fill_in(blocks, out, document)


def fill_in(blocks: dict[str, str], out: Path, document: Path | None) -> None:
    """Writes each block to OUT/tables/NAME.md, and into ``document``."""
    folder = out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in blocks.items():
        (folder / f"{name}.md").write_text(body + "\n")
    if document is not None:
        text = document.read_text()
        for name, body in blocks.items():
            text = fill(text, name, body)
        document.write_text(text)
        print(f"{document}: {', '.join(blocks)}", file=sys.stderr)


def fill(text: str, name: str, body: str) -> str:
    """``text`` with ``body`` between the marks of block ``name``.

    Raises:
        ValueError: the text has no such block.
    """
    begin, end = f"<!-- bench-codec: {name} -->", f"<!-- end: {name} -->"
    pattern = re.compile(re.escape(begin) + r".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no block between {begin!r} and {end!r}")
    return pattern.sub(lambda _: f"{begin}\n{body}\n{end}", text, count=1)


def _plots(paths: Sequence[Path], document: Path | None) -> str:
    names = {f"rate-{measure}": label for measure, label in MEASURES.items()}
    return "\n\n".join(f"![Bytes against {names[path.stem]}]({_link(path, document)})" for path in paths)


def _sheets(paths: Sequence[Path], document: Path | None) -> str:
    parts = []
    for path in paths:
        scene = path.stem.rpartition("-")[0]
        parts.append(f"![{scene}]({_link(path, document)})\n\n*{scene}*: {credit(scene)}.")
    return "\n\n".join(parts)


def _link(path: Path, document: Path | None) -> str:
    return os.path.relpath(path, document.parent) if document else str(path)

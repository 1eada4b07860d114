"""Pictures of one view side by side: the source, ours, the method as published, the best peer."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from benchmarks.codec.judge import shown_view
from benchmarks.codec.rows import Row
from benchmarks.codec.systems import OURS, PUBLISHED, SYSTEMS
from benchmarks.codec.tables import FORMATS
from exgs.raster.pictures import to_bytes

RATIO = 107.0
IN_THE_DOCUMENT = ("interior", "skull", "st-peter", "flowers")
"""Scenes whose sheets go beside the document: few, so that the repository stays light."""
TILE = (480, 270)
QUALITY = 80


def draw_sheets(rows: Sequence[Row], pictures: Path, folder: Path, scenes: Sequence[str]) -> list[Path]:
    """A sheet for each of the scenes that has all its rows."""
    made = []
    for scene in scenes:
        found = {row.system: row for row in rows if (row.scene, row.ratio) == (scene, RATIO) and row.done}
        peers = [found[name] for name in FORMATS if name in found]
        best = max(peers, key=lambda row: row.psnr or 0.0, default=None)
        shown = [row for row in (found.get(OURS), found.get(PUBLISHED), best) if row is not None]
        reference = pictures / scene / "reference.npy"
        files = [pictures / scene / f"{row.system}-{row.budget}.png" for row in shown]
        if not shown or not reference.exists() or not all(file.exists() for file in files):
            continue
        path = folder / f"{scene}-{RATIO:g}.jpg"
        views = np.load(reference, mmap_mode="r")
        source = Image.fromarray(to_bytes(np.asarray(views[shown_view(len(views))])))
        tiles = [(source, f"source, {found[shown[0].system].float_bytes:,} bytes as float32")]
        tiles += [(Image.open(file), _caption(row)) for file, row in zip(files, shown, strict=True)]
        sheet(tiles).save(path, quality=QUALITY, optimize=True)
        made.append(path)
    return made


def sheet(tiles: Sequence[tuple[Image.Image, str]]) -> Image.Image:
    """Two pictures a row, each under its caption."""
    width, height = TILE
    rows = -(-len(tiles) // 2)
    whole = Image.new("RGB", (2 * width, rows * (height + 16)), "white")
    pen = ImageDraw.Draw(whole)
    for place, (picture, caption) in enumerate(tiles):
        left, top = place % 2 * width, place // 2 * (height + 16)
        whole.paste(picture.convert("RGB").resize(TILE, Image.Resampling.LANCZOS), (left, top + 16))
        pen.text((left + 4, top + 2), caption, fill="black")
    return whole


def _caption(row: Row) -> str:
    return f"{SYSTEMS[row.system].label}, {row.bytes:,} bytes, PSNR {row.psnr:.1f} dB over {row.views} views"

"""Pictures on disk: PNG files and contact sheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from exgs.cli.files import write_atomically

GAP_PIXELS = 4


def to_bytes(picture: np.ndarray) -> np.ndarray:
    """[H,W,3] uint8 of a float picture, clipped to [0, 1]."""
    return np.asarray(np.clip(np.nan_to_num(picture), 0, 1) * 255 + 0.5).astype(np.uint8)


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes a float [H,W,3] picture as PNG, atomically."""
    image = Image.fromarray(to_bytes(picture))
    write_atomically(path, lambda stream: image.save(stream, format="PNG"))


def write_sheet(path: Path, rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Writes rows of equally sized float pictures as one PNG, with thin gaps between them."""
    height, width = rows[0][0].shape[:2]
    columns = max(len(row) for row in rows)
    step_x, step_y = width + GAP_PIXELS, height + GAP_PIXELS
    sheet = np.zeros((len(rows) * step_y - GAP_PIXELS, columns * step_x - GAP_PIXELS, 3), np.float32)
    for y, row in enumerate(rows):
        for x, picture in enumerate(row):
            sheet[y * step_y : y * step_y + height, x * step_x : x * step_x + width] = picture
    write_png(path, sheet)

"""Pictures on disk: PNG files and contact sheets."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from exgs.raster import to_bytes
from exgs.scene.formats.atomic import replacing

GAP_PIXELS = 4


def write_png(path: Path, picture: np.ndarray) -> None:
    """Writes a float [H,W,3] picture as PNG, whole or not at all.

    Raises:
        SceneError: the file cannot be written.
    """
    image = Image.fromarray(to_bytes(picture))
    with replacing(path) as stream:
        image.save(stream, format="PNG")


def write_sheet(path: Path, rows: Sequence[Sequence[np.ndarray]]) -> None:
    """Writes rows of float pictures as one PNG, with thin gaps between them; sizes may differ.

    Raises:
        SceneError: the file cannot be written.
    """
    heights = [max(picture.shape[0] for picture in row) for row in rows]
    width = max(picture.shape[1] for row in rows for picture in row)
    step_x, columns = width + GAP_PIXELS, max(len(row) for row in rows)
    sheet = np.zeros(
        (sum(heights) + GAP_PIXELS * (len(rows) - 1), columns * step_x - GAP_PIXELS, 3), np.float32
    )
    top = 0
    for row, height in zip(rows, heights, strict=True):
        for column, picture in enumerate(row):
            left = column * step_x
            sheet[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        top += height + GAP_PIXELS
    write_png(path, sheet)

"""What a folder of views is known by: names alone, so that whoever lists many folders need open no file."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

TRANSFORMS, SPARSE, CAMERAS = "transforms.json", "sparse", "cameras.json"
INDEXES = (TRANSFORMS, SPARSE, CAMERAS)
"""A folder that holds one of these is a folder of views; the first one found tells how it is read."""
MODEL_PLACES = ("sparse/0", "sparse", "")
"""Where a COLMAP model may lie."""
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
"""Of pictures."""


def views_index(folder: Path) -> Path | None:
    """What in ``folder`` makes it a folder of views; None where nothing does.

    A model's own folder without ``sparse`` does not count, nor a camera file without pictures beside it.

    Raises:
        OSError: the folder cannot be listed.
    """
    listing, model, cameras = (folder / name for name in INDEXES)
    if listing.is_file():
        return listing
    if model.is_dir() and find_model(folder) not in (None, folder):
        return model
    if not cameras.is_file():
        return None
    beside = (entry for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES)
    return cameras if len(list(islice(beside, 2))) == 2 else None


def find_model(folder: Path) -> Path | None:
    """Where in ``folder`` a COLMAP model lies; None where there is none."""
    for place in MODEL_PLACES:
        home = folder / place
        if any((home / f"images.{kind}").is_file() for kind in ("bin", "txt")):
            return home
    return None

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
FEWEST_PICTURES = 2
"""Beside a camera file: depth is seen by two views, and a single picture may be there to show the folder."""


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
    return cameras if _pictures(folder) == FEWEST_PICTURES else None


def views_shortage(folder: Path) -> str:
    """What ``folder``, which is no folder of views, lacks to be one; empty where nothing speaks of views.

    Raises:
        OSError: the folder cannot be listed.
    """
    pictures = _pictures(folder)
    if (folder / CAMERAS).is_file():
        return f"{CAMERAS} needs {FEWEST_PICTURES} pictures beside it, found {pictures or 'none'}"
    if (folder / SPARSE).is_dir():
        return f"{SPARSE} holds no COLMAP model"
    return f"pictures without cameras ({TRANSFORMS}, {SPARSE} or {CAMERAS})" if pictures else ""


def _pictures(folder: Path) -> int:
    """How many pictures lie in ``folder`` itself; no more than are needed are counted."""
    found = (entry for entry in folder.iterdir() if entry.suffix.lower() in SUFFIXES)
    return len(list(islice(found, FEWEST_PICTURES)))


def find_model(folder: Path) -> Path | None:
    """Where in ``folder`` a COLMAP model lies; None where there is none."""
    for place in MODEL_PLACES:
        home = folder / place
        if any((home / f"images.{kind}").is_file() for kind in ("bin", "txt")):
            return home
    return None

"""Writes the golden files of bitstream version 1; they are made once, then kept.

Run as: python tests/vectors/generate.py
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "codec")]

from breakage import breakages  # noqa: E402
from random_pyramids import in_many_runs, random_pyramid  # noqa: E402

from exgs.codec import Precision, decode, serialize  # noqa: E402
from exgs.codec.writing.cutting import cut  # noqa: E402
from exgs.scene import Frame, Gaussians, StartView  # noqa: E402

START = StartView(np.array([0.5, 1.0, 2.0]), np.array([0.0, 1.0, 0.0]), 3.5)
SOUND = {
    "one-splat": (random_pyramid(1, seed=1), Precision()),
    "one-level": (random_pyramid(120, seed=2), Precision()),
    "tree": (random_pyramid(600, 120, 20, seed=3), Precision()),
    "fine": (random_pyramid(300, 40, seed=4), Precision().scaled(0.1)),
    "coarse-luf-metres-start": (
        random_pyramid(400, 60, seed=5, frame=Frame("LUF", 0.3), start=START),
        Precision().scaled(3.0),
    ),
    "degree-1": (random_pyramid(250, 40, seed=6, degree=1), Precision()),
    "degree-2": (random_pyramid(250, 40, seed=7, degree=2), Precision()),
    "degree-3": (random_pyramid(250, 40, seed=8, degree=3), Precision()),
}


def digest(gaussians: Gaussians) -> str:
    """sha256 over the arrays as docs/bitstream.md orders them."""
    names = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")
    return hashlib.sha256(b"".join(getattr(gaussians, n).astype("<f4").tobytes() for n in names)).hexdigest()


def files() -> Iterator[tuple[str, bytes]]:
    """Names and bytes of the sound files."""
    for name, (pyramid, precision) in SOUND.items():
        yield name, serialize(pyramid, precision)
    writer = importlib.import_module("exgs.codec.writing.chunking")
    writer.cut = lambda *arguments: in_many_runs(cut(*arguments))
    yield "many-runs", serialize(random_pyramid(350, 70, seed=9), Precision())


def main() -> None:
    """Writes v1 and invalid; refuses to touch what is there."""
    index = {}
    for name, data in files():
        write(HERE / "v1" / f"{name}.ugc", data)
        shown = decode(data)
        index[name] = {"bytes": len(data), "splats": len(shown), "sha256": digest(shown)}
    write(HERE / "v1" / "index.json", (json.dumps(index, indent=1) + "\n").encode())
    one, tree = ((HERE / "v1" / f"{name}.ugc").read_bytes() for name in ("one-level", "tree"))
    for name, data in breakages(one, tree):
        write(HERE / "invalid" / f"{name}.ugc", data)


def write(path: Path, data: bytes) -> None:
    """Writes a file that is not there yet."""
    path.parent.mkdir(exist_ok=True)
    if path.exists() and path.read_bytes() != data:
        raise SystemExit(f"{path} differs: golden files are kept for ever")
    path.write_bytes(data)


if __name__ == "__main__":
    main()

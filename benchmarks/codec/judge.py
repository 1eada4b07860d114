"""Compares a decoded scene with its source: PSNR, SSIM and FLIP over views.

    python -m benchmarks.codec.judge SOURCE TEST CAMERAS.json --reference PICTURES.npy [--picture OUT.png]

Pictures are drawn by the independent referee of ../shared where it is, and PSNR and SSIM are its own; else
by the product's rasteriser. Those of the source are kept in PICTURES.npy. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.codec.scenes import SHARED
from exgs.raster import choose_rasterizer, quality
from exgs.raster.pictures import to_bytes
from exgs.scene import read_cameras, read_scene

FLIP_VIEWS = 6
"""FLIP takes longer than all else: it looks at so many of the views."""
REFEREE = SHARED / "referee"


@dataclass(frozen=True)
class Judge:
    """Draws a scene from the cameras of a file, and measures pictures."""

    name: str
    draw: Callable[[str, str], Iterator[np.ndarray]]
    psnr: Callable[[np.ndarray, np.ndarray], float]
    ssim: Callable[[np.ndarray, np.ndarray], float]


def choose_judge() -> Judge:
    """The referee where it can be had."""
    if not REFEREE.is_dir() or shutil.which("g++") is None:
        return Judge("exgs", _drawn_by_exgs, quality.psnr, quality.ssim)
    sys.path.append(str(REFEREE))
    import referee  # type: ignore[import-not-found,unused-ignore]

    def draw(scene: str, cameras: str) -> Iterator[np.ndarray]:
        library, loaded = referee.library(), referee.Scene(scene)
        for camera in json.loads(Path(cameras).read_text())["cameras"]:
            yield referee.render(library, loaded, camera)[0]

    return Judge("referee", draw, referee.psnr, referee.ssim)


def _drawn_by_exgs(scene: str, cameras: str) -> Iterator[np.ndarray]:
    gaussians, rasterizer = read_scene(scene), choose_rasterizer("cpu")
    for camera in read_cameras(cameras):
        yield np.clip(rasterizer.render(gaussians, [camera]).color[0], 0, 1)


def compare(judge: Judge, source: str, test: str, cameras: str, reference: Path) -> dict[str, object]:
    """Figures over the views, and the one picture of the test that sheets show."""
    if not reference.exists():
        part = reference.with_suffix(".part.npy")
        np.save(part, np.stack(list(judge.draw(source, cameras))))
        part.rename(reference)
    pictures = np.load(reference, mmap_mode="r")
    flip_views = set(np.linspace(0, len(pictures) - 1, FLIP_VIEWS).round().astype(int).tolist())
    psnr, ssim, flip, shown = [], [], [], pictures[0]
    for view, (expected, found) in enumerate(zip(pictures, judge.draw(test, cameras), strict=True)):
        psnr.append(judge.psnr(expected, found))
        ssim.append(judge.ssim(expected, found))
        if view in flip_views:
            flip.append(quality.flip(expected, found))
        if view == shown_view(len(pictures)):
            shown = found
    return {
        "judge": judge.name, "views": len(psnr), "psnr": round(float(np.mean(psnr)), 3),
        "psnr_min": round(min(psnr), 3), "ssim": round(float(np.mean(ssim)), 4),
        "flip": round(float(np.mean(flip)), 4), "shown": shown,
    }  # fmt: skip


def shown_view(views: int) -> int:
    """The view that sheets show."""
    return views // 2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("source")
    parser.add_argument("test")
    parser.add_argument("cameras")
    parser.add_argument("--reference", type=Path, required=True)
    parser.add_argument("--picture", type=Path)
    args = parser.parse_args()
    figures = compare(choose_judge(), args.source, args.test, args.cameras, args.reference)
    shown = figures.pop("shown")
    if args.picture:
        Image.fromarray(to_bytes(np.asarray(shown))).save(args.picture)
    print(json.dumps(figures))


if __name__ == "__main__":
    main()

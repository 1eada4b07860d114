"""``exgs compare``: how close a scene looks to its reference."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exgs.cli import arguments
from exgs.cli.paths import PICTURE_SUFFIX, check_output, find_inputs

if TYPE_CHECKING:
    from exgs.raster import Rasterizer
    from exgs.scene import Camera, Gaussians

NEEDS = (
    "exgs.cli.files", "exgs.cli.frames", "exgs.cli.pictures", "exgs.cli.rasterising", "exgs.raster.quality",
)  # fmt: skip
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
SHEET_ROWS = 12
"""Pictures of more views than these are not kept for a sheet."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs compare``."""
    parser.add_argument("reference", metavar="REFERENCE", help="the scene as it should look")
    parser.add_argument("test", metavar="TEST", help="the scene to judge")
    parser.add_argument("--cameras", metavar="FILE", required=True, help="views to compare from (JSON)")
    arguments.add_camera_axes(parser)
    parser.add_argument(
        "--sheet",
        metavar="OUT.png",
        help=f"write pictures side by side: reference | test, {SHEET_ROWS} views at most",
    )  # fmt: skip
    parser.add_argument("--no-flip", action="store_true", help="skip FLIP, the slowest of the three measures")
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Refuses a sheet that cannot be written, and inputs that are not there."""
    _sheet(args)
    find_inputs(args.reference, args.test, args.cameras)


def run(args: argparse.Namespace) -> int:
    """Renders both scenes from every camera and compares the pictures."""
    from exgs.cli.files import read_any
    from exgs.cli.frames import facing
    from exgs.cli.pictures import write_sheet
    from exgs.cli.rasterising import rasterizer_for
    from exgs.cli.terminal import Reporter, table
    from exgs.scene import read_cameras, to_frame

    sheet, cameras = _sheet(args), read_cameras(args.cameras)
    with Reporter(quiet=args.quiet or args.json) as reporter:
        rasterizer = rasterizer_for(args.backend, reporter)
        with reporter.phase("read"):
            reference = facing(read_any(args.reference, drop=True), args.camera_axes)
            test = to_frame(read_any(args.test, drop=True), reference.frame)
        with reporter.phase("compare") as progress:

            def compared(views: int) -> None:
                progress.update(views / len(cameras), f"{views} of {len(cameras)} views")

            rows, pairs = compare_views(
                rasterizer, (reference, test), cameras, flip=not args.no_flip, progress=compared
            )
    if sheet is not None:
        write_sheet(sheet, pairs)
    summary = summarise(rows)
    summary |= {"reference_splats": len(reference), "test_splats": len(test)}
    if args.json:
        print(json.dumps(summary | {"cameras": rows}))
    else:
        flip = "" if summary["flip_mean"] is None else f"  FLIP {summary['flip_mean']:.4f}"
        print(table([
            ("splats", f"{len(reference):,} reference, {len(test):,} test"),
            ("views", str(len(rows))),
            ("quality", f"PSNR {summary['psnr_mean']:.2f} dB (worst {summary['psnr_min']:.2f})  "
                        f"SSIM {summary['ssim_mean']:.4f}{flip}"),
        ]))  # fmt: skip
    return 0


def _sheet(args: argparse.Namespace) -> Path | None:
    if not args.sheet:
        return None
    return check_output(args.sheet, overwrite=args.overwrite, suffixes=(PICTURE_SUFFIX,))


def compare_views(
    rasterizer: Rasterizer,
    scenes: tuple[Gaussians, Gaussians],
    cameras: Sequence[Camera],
    *,
    flip: bool = True,
    progress: Callable[[int], None] = lambda views: None,
) -> tuple[list[dict[str, Any]], list[list[np.ndarray]]]:
    """Measures of every view, and pairs of float pictures of the first ``SHEET_ROWS``.

    ``scenes`` are the reference and the test, in one frame; ``progress`` hears how many views are done.
    """
    from exgs.raster.quality import compare_pictures

    rows: list[dict[str, Any]] = []
    pairs: list[list[np.ndarray]] = []
    for number, camera in enumerate(cameras):
        pair = [rasterizer.render(scene, [camera]).color[0] for scene in scenes]
        rows.append({"name": camera.name, **asdict(compare_pictures(pair[0], pair[1], flip=flip))})
        if number < SHEET_ROWS:
            pairs.append(pair)
        progress(number + 1)
    return rows, pairs


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Means over the views, and the worst PSNR; FLIP is None where it was not asked for."""
    flips = [row["flip"] for row in rows if row["flip"] is not None]
    return {
        "views": len(rows),
        "psnr_mean": float(np.mean([row["psnr"] for row in rows])),
        "psnr_min": float(np.min([row["psnr"] for row in rows])),
        "ssim_mean": float(np.mean([row["ssim"] for row in rows])),
        "flip_mean": float(np.mean(flips)) if flips else None,
    }

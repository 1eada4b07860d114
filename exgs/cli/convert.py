"""``exgs convert``: from one scene format to another."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path

import numpy as np

from exgs.cli import arguments
from exgs.cli.errors import CommandError
from exgs.cli.paths import check_scene_output, find_inputs
from exgs.scene import Gaussians
from exgs.scene.finite import finite_mask

NEEDS = ("exgs.cli.files", "exgs.cli.frames")
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
UNSOUND = "have a value that is not finite, or no rotation; --drop-non-finite leaves them out"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs convert``."""
    parser.add_argument("input", metavar="IN", help="a scene in any readable format, or a .ugc file")
    parser.add_argument(
        "output", metavar="OUT", help="the scene to write: .ply or .spz, or null for a dry run"
    )
    parser.add_argument(
        "--sh-degree", type=int, choices=range(4), help="cut spherical harmonics to this degree"
    )
    parser.add_argument("--min-opacity", type=_opacity, metavar="A", help="drop Gaussians less opaque than A")
    parser.add_argument(
        "--bbox", type=_box, metavar="X0,Y0,Z0,X1,Y1,Z1",
        help="keep only Gaussians centred in this box, in coordinates of IN; '-' leaves a side open, and a "
             "box that begins with a minus needs --bbox=...",
    )  # fmt: skip
    arguments.add_axes(parser)
    parser.add_argument(
        "--drop-non-finite", action="store_true", help="drop Gaussians with NaN, infinity or no rotation"
    )
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Refuses a name where no scene can be written, and an input that is not there."""
    _target(args)
    find_inputs(args.input)


def run(args: argparse.Namespace) -> int:
    """Reads, filters and writes."""
    from exgs.cli.files import read_any
    from exgs.cli.frames import named_frame
    from exgs.cli.terminal import Reporter, size, table
    from exgs.scene import write_scene

    target = _target(args)
    with Reporter(quiet=args.quiet or args.json) as reporter:
        with reporter.phase("read"):
            source = read_any(args.input)
            gaussians = _filter(named_frame(source, args.axes), args)
        if len(source) and not len(gaussians):
            raise CommandError("the filters leave no Gaussian")
        unsound = _unsound(gaussians, target)
        if target is not None:
            with reporter.phase("write"):
                write_scene(target, gaussians)
    if unsound and not args.quiet:
        print(f"note: {unsound:,} Gaussians {UNSOUND}", file=sys.stderr)
    written = target.stat().st_size if target else 0
    summary = {
        "splats_in": len(source),
        "splats_out": len(gaussians),
        "non_finite": unsound,
        "sh_degree": gaussians.sh_degree,
        "frame_in": gaussians.frame.axes,
        "output_bytes": written,
    }
    if args.json:
        print(json.dumps(summary))
    elif not args.quiet:
        rows = [("splats", f"{len(source):,} in, {len(gaussians):,} out, SH degree {gaussians.sh_degree}")]
        rows += [("written", f"{target}, {size(written)}")] if target else []
        print(table(rows))
    return 0


def _target(args: argparse.Namespace) -> Path | None:
    return check_scene_output(args.output, source=args.input, overwrite=args.overwrite)


def _unsound(gaussians: Gaussians, target: Path | None) -> int:
    """How many Gaussians nobody can draw.

    Raises:
        CommandError: there are some, and the format of ``target`` cannot hold them.
    """
    count = len(gaussians) - int(finite_mask(gaussians).sum())
    if count and target is not None and target.suffix.lower() == ".spz":
        raise CommandError(f"{target}: SPZ cannot hold what {count:,} of the Gaussians hold: they {UNSOUND}")
    return count


def _filter(gaussians: Gaussians, args: argparse.Namespace) -> Gaussians:
    from exgs.scene import drop_non_finite

    if args.drop_non_finite:
        gaussians = drop_non_finite(gaussians)[0]
    keep = np.ones(len(gaussians), bool)
    if args.min_opacity is not None:
        keep &= gaussians.opacities >= args.min_opacity
    if args.bbox is not None:
        low, high = args.bbox
        keep &= ((gaussians.means >= low) & (gaussians.means <= high)).all(axis=1)
    if not keep.all():
        gaussians = gaussians.select(keep)
    return gaussians if args.sh_degree is None else gaussians.with_sh_degree(args.sh_degree)


def _opacity(text: str) -> float:
    value = arguments.positive_float(text)
    if value >= 1:
        raise argparse.ArgumentTypeError(f"{text!r}: an opacity lies between 0 and 1")
    return value


def _box(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Two corners; ``-`` leaves a side open."""
    words = text.split(",")
    if len(words) != 6:
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected six numbers, comma separated ('-' leaves a side open)"
        )
    opened = [-math.inf] * 3 + [math.inf] * 3
    try:
        numbers = [side if word == "-" else float(word) for word, side in zip(words, opened, strict=True)]
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from error
    if any(math.isnan(number) for number in numbers):
        raise argparse.ArgumentTypeError(f"{text!r}: a side that is no number")
    low, high = np.array(numbers[:3]), np.array(numbers[3:])
    if (low > high).any():
        raise argparse.ArgumentTypeError(f"{text!r}: no box, its first corner is not the lower one")
    return low, high

"""``exgs decode``: a .ugc bitstream, or a prefix of it, back into a scene."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from exgs.cli import arguments
from exgs.cli.errors import UsageError
from exgs.cli.paths import check_scene_output, find_inputs, is_ugc

NEEDS = ("exgs.cli.files",)
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs decode``."""
    parser.add_argument("input", metavar="IN.ugc", help="the bitstream")
    parser.add_argument(
        "output", metavar="OUT", help="the scene to write: .ply or .spz, or null for a dry run"
    )
    parser.add_argument(
        "--max-bytes", type=arguments.byte_count, metavar="N",
        help="decode only the first N bytes, as a viewer that has received that much would see the scene",
    )  # fmt: skip
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Refuses what is no bitstream or not there, and a name where no scene can be written."""
    if not is_ugc(args.input):
        raise UsageError(f"{args.input}: expected a .ugc file; 'exgs convert' reads the other formats")
    _target(args)
    find_inputs(args.input)


def run(args: argparse.Namespace) -> int:
    """Decodes and writes."""
    from exgs.cli.files import read_any
    from exgs.cli.terminal import Reporter, size, table
    from exgs.scene import write_scene

    target = _target(args)
    with Reporter(quiet=args.quiet or args.json) as reporter:
        with reporter.phase("decode"):
            gaussians = read_any(args.input, max_bytes=args.max_bytes)
        if target is not None:
            with reporter.phase("write"):
                write_scene(target, gaussians)
    seconds = reporter.phases[0].seconds
    summary = {
        "splats": len(gaussians),
        "sh_degree": gaussians.sh_degree,
        "output_bytes": target.stat().st_size if target else 0,
        "seconds": round(seconds, 4),
        "splats_per_second": round(len(gaussians) / max(seconds, 1e-9)),
    }
    if args.json:
        print(json.dumps(summary))
    elif not args.quiet:
        rows = [("splats", f"{len(gaussians):,} at SH degree {gaussians.sh_degree}")]
        rows += [("written", f"{target}, {size(summary['output_bytes'])}")] if target else []
        print(table(rows))
    return 0


def _target(args: argparse.Namespace) -> Path | None:
    return check_scene_output(args.output, source=args.input, overwrite=args.overwrite)

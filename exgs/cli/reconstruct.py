"""``exgs reconstruct``: posed pictures into a scene, in one forward pass.

What becomes a ``.ugc`` is fitted to the pictures while it is encoded; what is written as it is only with
``--refine``.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exgs.cli import arguments
from exgs.cli.encode import Phases
from exgs.cli.encoded import facts, rows
from exgs.cli.encoding import SIZE_AND_EFFORT, add_effort, add_size, given
from exgs.cli.errors import CommandError, UsageError
from exgs.cli.paths import DRY_RUN, UGC_SUFFIX, check_output, check_scene_output, find_inputs, is_ugc
from exgs.cli.terminal import Phase, Reporter, size, table

if TYPE_CHECKING:
    from exgs.codec import EncodeConfig, Photographs
    from exgs.codec.encoding.report import Encoding, Report
    from exgs.feedforward.network import Reconstructor
    from exgs.feedforward.reconstructing import Reconstruction
    from exgs.feedforward.views import Views
    from exgs.scene import Gaussians

NEEDS = (
    "exgs.cli.rasterising", "exgs.codec.encoding.encoder", "exgs.codec.encoding.photographs",
    "exgs.feedforward.choose", "exgs.feedforward.read",
)  # fmt: skip
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
AUTO, OFF = "auto", "off"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs reconstruct``."""
    parser.add_argument(
        "input", metavar="VIEWS",
        help="a COLMAP folder with undistorted pictures, a transforms.json, a cameras.json beside its "
        "pictures, or the folder of either; or a view set (.npz)",
    )  # fmt: skip
    parser.add_argument(
        "output", metavar="OUT", help="the .ply, .spz or .ugc to write, or null for a dry run"
    )
    parser.add_argument(
        "--anchors", type=_anchors, metavar="N", default=AUTO,
        help="views that become Gaussians, all others are gathered into them; 'auto' takes as many as cover "
        "what the views show, from 6 to 24 (default), 'off' lets every view go on",
    )  # fmt: skip
    parser.add_argument(
        "--weights", metavar="NAME", default="small", help="small, or a folder of weights (default: small)"
    )
    parser.add_argument(
        "--size", type=arguments.picture_size, metavar="WxH",
        help="cut and scale pictures to this size (default: their own, at most 480p)",
    )  # fmt: skip
    parser.add_argument(
        "--most", type=arguments.positive_int, metavar="N",
        help="take at most N views, spread evenly over the order of their names (default: all)",
    )  # fmt: skip
    parser.add_argument(
        "--refine", action="store_true",
        help="then fit every Gaussian to the pictures: better, and no longer one forward pass (a .ugc is "
        "fitted to them in any case, as --effort says; this takes the same pains always)",
    )  # fmt: skip
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="what computes (default: auto)"
    )
    add_size(parser)
    add_effort(parser)
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Refuses outputs that make no sense, and views that are not there."""
    _outputs(args)
    find_inputs(args.input)


def run(args: argparse.Namespace) -> int:
    """Finds the views, then what computes; reads, reconstructs, encodes where asked, writes and reports."""
    target, flags = _outputs(args)

    from exgs.codec import EncodeConfig, Photographs

    config = None if flags is None else EncodeConfig(**flags)
    with Reporter(quiet=args.quiet or args.json) as reporter:
        views, network, device = _ready(args, reporter)
        made = _made(args, views, network, reporter)
        taken = Photographs(views.cameras, views.pictures)
        if args.refine:
            made = replace(made, gaussians=_refined(args, made.gaussians, taken, reporter))
        encoding = _encode(args, made.gaussians, taken, config, reporter) if config else None
        if target is not None:
            with reporter.phase("write"):
                _write(target, made.gaussians, encoding)
    written = target.stat().st_size if target else 0
    outcome = _Outcome(views, made, device, encoding.report if encoding else None, written)
    if args.json:
        print(json.dumps(_summary(outcome, reporter.phases)))
    elif not args.quiet:
        print(table(_rows(outcome, reporter.phases, target)))
    return 0


def _ready(args: argparse.Namespace, reporter: Reporter) -> tuple[Views, Reconstructor, str]:
    """The views, the network, and the device that computes: all that can be missing is found before any
    picture is read."""
    from exgs.feedforward.choose import choose_device, load_network, open_weights
    from exgs.feedforward.read import SUITED_PIXELS, find_views, load_views

    with reporter.phase("find"):
        found = find_views(args.input, most=args.most)
        weights = open_weights(args.weights)
        device = choose_device(args.device)
        network = load_network(weights, device)
    with reporter.phase("read") as progress:
        views = load_views(found, size=args.size, pixels=SUITED_PIXELS, progress=progress.update)
        views = _told_of(views, args.anchors)
    for note in views.notes:
        reporter.say(f"note: {note}")
    return views, network, device


def _made(
    args: argparse.Namespace, views: Views, network: Reconstructor, reporter: Reporter
) -> Reconstruction:
    """What the network makes of the views.

    Raises:
        CommandError: nothing opaque came of them.
    """
    from exgs.feedforward.reconstructing import reconstruct  # torch is here, as choosing has found
    from exgs.raster import choose_rasterizer

    with reporter.phase("reconstruct") as progress:
        made = reconstruct(
            views, network, rasterizer=choose_rasterizer("cpu"),
            anchors=None if args.anchors == OFF else args.anchors,
            progress=progress.update, clock=time.perf_counter,
        )  # fmt: skip
    shortage = made.coverage.shortage(made.went_on)
    if shortage:
        reporter.say(f"note: {shortage}; more --anchors cover more")
    if len(made.gaussians) == 0:
        raise CommandError(f"{args.input}: nothing opaque came of these views")
    return made


def _outputs(args: argparse.Namespace) -> tuple[Path | None, dict[str, Any] | None]:
    """Where to write, and what was said of how to encode; None where nothing is to be encoded.

    Raises:
        UsageError: the output's name or flags make no sense.
    """
    if args.most == 1:
        raise UsageError("--most 1: depth is seen by 2 views or more")
    flags = given(args, *SIZE_AND_EFFORT)
    dry_run_of_ugc = flags and args.output == DRY_RUN
    if args.refine and (dry_run_of_ugc or is_ugc(args.output)):
        raise UsageError(f"--refine: a {UGC_SUFFIX} is fitted to the pictures in any case")
    if is_ugc(args.output):
        target = check_output(args.output, overwrite=args.overwrite, suffixes=(UGC_SUFFIX,))
        return target, flags
    if flags and args.output != DRY_RUN:
        flag = next(iter(flags)).replace("_", "-")
        how = "--refine always takes the same pains" if args.refine else f"{args.output} is written as it is"
        raise UsageError(f"--{flag}: only for a {UGC_SUFFIX}; {how}")
    target = check_scene_output(
        args.output, source=args.input, overwrite=args.overwrite, beside=(UGC_SUFFIX,)
    )
    return target, flags or None


def _told_of(views: Views, anchors: str | int) -> Views:
    """``views``, with a note where more of them were asked for as anchors than there are."""
    if isinstance(anchors, str) or anchors <= len(views):
        return views
    note = f"--anchors {anchors}: there are {len(views)} views, each becomes an anchor"
    return replace(views, notes=(*views.notes, note))


def _refined(
    args: argparse.Namespace, gaussians: Gaussians, taken: Photographs, reporter: Reporter
) -> Gaussians:  # fmt: skip
    """``gaussians``, fitted one by one to the pictures that they were made from."""
    from exgs.cli.rasterising import rasterizer_for
    from exgs.codec import refine

    rasterizer = rasterizer_for(args.backend, reporter)
    with reporter.phase("refine"):
        return refine(gaussians, taken, rasterizer=rasterizer)


def _encode(
    args: argparse.Namespace,
    gaussians: Gaussians,
    taken: Photographs,
    config: EncodeConfig,
    reporter: Reporter,
) -> Encoding:
    """The file of ``gaussians``, fitted to the pictures that they were made from."""
    from exgs.cli.rasterising import rasterizer_for
    from exgs.codec import encode

    rasterizer = rasterizer_for(args.backend, reporter)
    with Phases(reporter) as phases:
        return encode(gaussians, config, rasterizer=rasterizer, cameras=taken, progress=phases.follow)


def _write(target: Path, gaussians: Gaussians, encoding: Encoding | None) -> None:
    from exgs.scene import write_scene
    from exgs.scene.formats.atomic import write_bytes

    if encoding is None:
        write_scene(target, gaussians)
    else:
        write_bytes(target, encoding.data)


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What came of a run."""

    views: Views
    made: Reconstruction
    device: str
    report: Report | None
    written_bytes: int


def _summary(outcome: _Outcome, phases: Sequence[Phase]) -> dict[str, Any]:
    """The outcome as one object."""
    views, made = outcome.views, outcome.made
    return {
        "views": len(views),
        "size": list(views.size),
        "near": views.near,
        "far": views.far,
        "frame": views.frame.axes,
        "notes": list(views.notes),
        "anchors": None if made.anchors is None else len(made.anchors),
        "covered": [round(1 - float(share), 4) for share in made.coverage.shares],
        "uncovered_views": [views.names[view] for view in made.coverage.short(made.went_on)],
        "splats": len(made.gaussians),
        "device": outcome.device,
        "seconds": round(made.seconds, 3),
        "peak_bytes": made.peak_bytes,
        "output_bytes": outcome.written_bytes,
        "phases": [
            {"name": phase.name, "seconds": round(phase.seconds, 3), "peak_bytes": phase.peak_bytes}
            for phase in phases
        ],
        "encoding": None if outcome.report is None else facts(outcome.report, phases),
    }


def _rows(outcome: _Outcome, phases: Sequence[Phase], target: Path | None) -> list[tuple[str, str]]:
    """The outcome for a person."""
    views, made = outcome.views, outcome.made
    width, height = views.size
    kept = "all go on" if made.anchors is None else f"{len(made.anchors)} anchors"
    lines = [
        ("views", f"{len(views)} of {width} x {height}, {kept}"),
        ("depth", f"{views.near:.3g} to {views.far:.3g} units of the scene"),
        ("covered", made.coverage.summary(views.names)),
        ("splats", f"{len(made.gaussians):,}"),
        ("computed", f"{made.seconds:.2f} s on {outcome.device}, {size(made.peak_bytes)} at the peak"),
    ]
    if outcome.report is not None:
        names = ("size", "quality")
        return lines + [row for row in rows(outcome.report, phases) if row[0] in names] + _costs(phases)
    written = [("written", f"{target}, {size(outcome.written_bytes)}")] if target else []
    return lines + written + _costs(phases)


def _costs(phases: Sequence[Phase]) -> list[tuple[str, str]]:
    return [
        ("time", ", ".join(f"{phase.name} {phase.seconds:.1f} s" for phase in phases)),
        ("peak memory", ", ".join(f"{phase.name} {size(phase.peak_bytes)}" for phase in phases)),
    ]


def _anchors(text: str) -> str | int:
    if text in (AUTO, OFF):
        return text
    try:
        return arguments.positive_int(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a number, {AUTO} or {OFF}") from error

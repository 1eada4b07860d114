"""``exgs render``: a scene into pictures or a video."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from exgs.cli import arguments, left_alone
from exgs.cli.errors import CommandError, UsageError
from exgs.cli.paths import DRY_RUN, VIDEO_SUFFIX, find_inputs, is_ugc

if TYPE_CHECKING:
    from exgs.cli.outputs import PictureFolder, PictureOutput
    from exgs.cli.terminal import PhaseProgress
    from exgs.painter import Restored
    from exgs.raster import Rasterizer
    from exgs.scene import Camera, Gaussians, HeadTrace, StartView

NEEDS = ("exgs.cli.files", "exgs.cli.frames", "exgs.cli.outputs", "exgs.cli.rasterising")
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
DEFAULT_SIZE, DEFAULT_FPS = (1280, 720), 30.0
MOST_VIEWS = 100_000
"""Along a loop."""
MOST_NAMES = 8
"""Of cameras, that are told where one is not found."""
VERDICTS = ("restored", *(verdict for verdict in left_alone.REASONS if verdict != "budget"))
"""What becomes of a picture for which there is time, and is counted."""
SPAN_VIEWS, SPAN_PIXELS = 12, 20_000
"""Views, and pixels of each, that tell how far what is rendered is away."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs render``."""
    parser.add_argument(
        "input", metavar="SCENE_OR_UGC", help="a scene in any readable format, or a .ugc file"
    )
    parser.add_argument(
        "output",
        metavar="OUT",
        help="a .png, an .mp4, a folder (one PNG per camera, and cameras.json; with --stereo one for both "
        "eyes, and eyes.json), or null for a dry run",
    )
    views = parser.add_mutually_exclusive_group(required=True)
    views.add_argument("--cameras", metavar="FILE", help="cameras (JSON)")
    views.add_argument(
        "--orbit", type=arguments.whole_between(1, MOST_VIEWS), metavar="N", help="N views along a loop"
    )
    views.add_argument(
        "--head-trace", metavar="CSV", help="a recorded head movement (EyeNavGS or our own columns)"
    )
    arguments.add_camera_axes(parser)
    parser.add_argument("--view", metavar="NAME", help="only the camera of this name")
    parser.add_argument("--size", type=arguments.picture_size, metavar="WxH", help="picture size in pixels")
    parser.add_argument("--stereo", action="store_true", help="both eyes side by side, left eye left")
    parser.add_argument("--fps", type=arguments.frame_rate, help="of a video or a head trace (default: 30)")
    parser.add_argument("--seconds", type=arguments.seconds, help="how much of the head trace (default: all)")
    parser.add_argument(
        "--max-bytes", type=arguments.byte_count, metavar="N", help="only this prefix of a .ugc"
    )
    arguments.add_backend(parser)
    arguments.add_restore(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Refuses flags that would be ignored, inputs that are not there, and a name where no picture can be."""
    from exgs.cli.outputs import picture_output

    arguments.check_restore(args)
    if args.camera_axes and not args.cameras:
        raise UsageError("--camera-axes: only for --cameras; other views are in the scene's own frame")
    if args.seconds and not args.head_trace:
        raise UsageError("--seconds: only for --head-trace")
    video = args.output == DRY_RUN or args.output.lower().endswith(VIDEO_SUFFIX)
    if args.fps and not args.head_trace and not video:
        raise UsageError(f"--fps: only for a video ({VIDEO_SUFFIX}) or --head-trace")
    picture_output(args.output, overwrite=args.overwrite, fps=args.fps or DEFAULT_FPS)
    find_inputs(args.input, args.cameras, args.head_trace)


def run(args: argparse.Namespace) -> int:
    """Renders every view and writes the pictures."""
    from exgs.cli.files import read_any
    from exgs.cli.frames import facing
    from exgs.cli.outputs import PictureFolder, picture_output
    from exgs.cli.rasterising import rasterizer_for, restorer_for
    from exgs.cli.terminal import Reporter, table
    from exgs.painter import draw

    output = picture_output(args.output, overwrite=args.overwrite, fps=args.fps or DEFAULT_FPS)
    recorded, verdicts = _recorded(args), Counter[str]()
    with Reporter(quiet=args.quiet or args.json) as reporter:
        rasterizer = rasterizer_for(args.backend, reporter)
        video = args.head_trace is not None
        restorer = restorer_for(args.restore, args.restore_engine, reporter, video=video)
        with reporter.phase("read"):
            gaussians = facing(read_any(args.input, max_bytes=args.max_bytes, drop=True), args.camera_axes)
            if not len(gaussians):
                raise CommandError(f"{args.input}: a scene without Gaussians: nothing to draw")
            views = _views(args, gaussians, recorded)
            _expect(output, [eyes[0].name for eyes in views], args)
        with reporter.phase("render") as progress:
            restored = (restorer.restore(draw(rasterizer, restorer, gaussians, eyes)) for eyes in views)
            output.write(_pictures(restored, len(views), verdicts, progress))
        seconds = reporter.phases[-1].seconds
        if isinstance(output, PictureFolder):
            _keep(output, views, gaussians, rasterizer, stereo=args.stereo)
    summary = {"views": len(views), "splats": len(gaussians), "rasterizer": rasterizer.name,
               "ms_per_view": round(1000 * seconds / len(views), 2), "restorer": restorer.name,
               **{verdict: verdicts[verdict] for verdict in VERDICTS}}  # fmt: skip
    if args.json:
        print(json.dumps(summary))
    elif not args.quiet:
        written = [] if args.output == DRY_RUN else [("written", args.output)]
        print(table([*_rows(summary), *written]))
    return 0


def _pictures(
    restored: Iterable[Restored], count: int, verdicts: Counter[str], progress: PhaseProgress
) -> Iterator[np.ndarray]:
    """[H,W,3] of ``count`` views, two eyes side by side; ``verdicts`` counts what became of them."""
    for number, view in enumerate(restored, start=1):
        verdicts[view.verdict] += 1
        yield np.concatenate(list(view.color), axis=1)
        progress.update(number / count, f"{number} of {count} views")


def _expect(output: PictureOutput, names: Sequence[str], args: argparse.Namespace) -> None:
    """Has the output look at what is coming before anything is drawn."""
    from exgs.cli.outputs import PictureFolder

    output.expect(names)
    if isinstance(output, PictureFolder):
        output.expect_cameras(names, pairs=args.stereo, source=args.cameras)


def _keep(
    folder: PictureFolder,
    views: Sequence[tuple[Camera, ...]],
    gaussians: Gaussians,
    rasterizer: Rasterizer,
    *,
    stereo: bool,
) -> None:
    """Leaves the cameras of ``views`` beside their pictures."""
    if stereo:
        folder.keep_eyes(views)
        return
    cameras = [camera for (camera,) in views]
    folder.keep(cameras, _span(gaussians, cameras, rasterizer))


def _span(
    gaussians: Gaussians, cameras: Sequence[Camera], rasterizer: Rasterizer
) -> tuple[float, float] | None:  # fmt: skip
    """How far what some of the cameras see is away; None where they see too little to tell.

    Told by small pictures: who reconstructs from the pictures then need not guess.
    """
    from exgs.feedforward.capture import shrunk
    from exgs.feedforward.sets import SEEN
    from exgs.feedforward.span import span_of_depths
    from exgs.scene.spread import evenly

    depths = [np.zeros(0)]
    for index in evenly(len(cameras), SPAN_VIEWS):
        camera = cameras[index]
        small = camera.resized(*shrunk((camera.width, camera.height), SPAN_PIXELS))
        drawn = rasterizer.render(gaussians, [small], depth=True)
        if drawn.depth is not None:
            depths.append(drawn.depth[0][drawn.alpha[0] >= SEEN].astype(np.float64))
    return span_of_depths(np.concatenate(depths))


def _rows(summary: dict[str, Any]) -> list[tuple[str, str]]:
    s = summary
    rows = [("views", f"{s['views']}, {s['ms_per_view']} ms each with {s['rasterizer']}, writing included")]
    if s["restorer"] == "off":
        return rows
    return [*rows, ("restored", f"{s['restored']} of them by {s['restorer']}{left_alone.told(s)}")]


def _recorded(args: argparse.Namespace) -> list[Camera] | HeadTrace | None:
    """The cameras or the head movement of a file; None for an orbit."""
    from exgs.scene import read_cameras, read_head_trace

    if args.head_trace:
        return read_head_trace(args.head_trace)
    if not args.cameras:
        return None
    cameras = read_cameras(args.cameras)
    return [camera.resized(*args.size) for camera in cameras] if args.size else cameras


def _views(
    args: argparse.Namespace, gaussians: Gaussians, recorded: list[Camera] | HeadTrace | None
) -> list[tuple[Camera, ...]]:
    """One camera per view, or a left and a right one."""
    from exgs.scene import HeadTrace, orbit, stereo_pair
    from exgs.scene.head_trace import DEFAULT_IPD_M

    start = _start(args.input, gaussians) if args.stereo or args.head_trace else None
    ipd_m = DEFAULT_IPD_M
    if recorded is None:
        cameras = orbit(gaussians, args.orbit, size=args.size or DEFAULT_SIZE)
    elif isinstance(recorded, HeadTrace):
        cameras, ipd_m = _along(recorded, gaussians, args, start), recorded.ipd_m
    else:
        cameras = recorded
    if args.view is not None:
        everything, cameras = cameras, [camera for camera in cameras if camera.name == args.view]
        if not cameras:
            raise UsageError(f"--view {args.view}: no camera of that name; there are {_named(everything)}")
    if not args.stereo or start is None:
        return [(camera,) for camera in cameras]
    return [stereo_pair(camera, ipd_m * start.units_per_metre) for camera in cameras]


def _named(cameras: Sequence[Camera]) -> str:
    """Some of their names."""
    names = ", ".join(camera.name for camera in cameras[:MOST_NAMES])
    return names if len(cameras) <= MOST_NAMES else f"{names} and {len(cameras) - MOST_NAMES} more"


def _along(
    trace: HeadTrace, gaussians: Gaussians, args: argparse.Namespace, start: StartView | None
) -> list[Camera]:
    from exgs.scene import head_cameras

    seconds = min(args.seconds or trace.duration_s, trace.duration_s)
    fps = args.fps or DEFAULT_FPS
    times_s = np.arange(max(1, int(seconds * fps))) / fps
    return head_cameras(trace, gaussians, times_s, size=args.size or DEFAULT_SIZE, start=start)


def _start(path: str, gaussians: Gaussians) -> StartView:
    """Where a viewer begins: what a .ugc file names, or a place of our choice."""
    from exgs.cli.files import read_start
    from exgs.scene import starting_view

    return (read_start(path) if is_ugc(path) else None) or starting_view(gaussians)

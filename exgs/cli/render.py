"""``exgs render``: a scene into pictures or a video."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from exgs.cli import arguments
from exgs.cli.errors import UsageError
from exgs.raster import Rasterizer
from exgs.scene import Camera, Gaussians, StartView

IPD_METRES = 0.063
DEFAULT_SIZE = (1280, 720)
VIDEO_SUFFIX = ".mp4"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs render``."""
    parser.add_argument(
        "input", metavar="SCENE_OR_UGC", help="a scene in any readable format, or a .ugc file"
    )
    parser.add_argument("output", metavar="OUT", help="a .png, an .mp4, or a folder (one PNG per camera)")
    views = parser.add_mutually_exclusive_group(required=True)
    views.add_argument("--cameras", metavar="FILE", help="cameras (JSON)")
    views.add_argument("--orbit", type=arguments.positive_int, metavar="N", help="N views along a loop")
    views.add_argument(
        "--head-trace", metavar="CSV", help="a recorded head movement (EyeNavGS or our own columns)"
    )
    parser.add_argument("--view", metavar="NAME", help="only the camera of this name")
    parser.add_argument("--size", type=arguments.picture_size, metavar="WxH", help="picture size in pixels")
    parser.add_argument("--stereo", action="store_true", help="both eyes side by side, left eye left")
    parser.add_argument(
        "--fps", type=arguments.positive_float, default=30.0, help="of the video (default: 30)"
    )
    parser.add_argument(
        "--seconds", type=arguments.positive_float, help="how much of the head trace (default: all)"
    )
    parser.add_argument(
        "--max-bytes", type=arguments.byte_count, metavar="N", help="only this prefix of a .ugc"
    )
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Renders every view and writes the pictures."""
    from exgs.cli.files import read_any
    from exgs.cli.rasterising import rasterizer_for
    from exgs.cli.terminal import Reporter, table

    write = _writer(args)
    with Reporter(quiet=args.quiet or args.json) as reporter:
        rasterizer = rasterizer_for(args.backend, reporter)
        with reporter.phase("read"):
            gaussians = read_any(args.input, max_bytes=args.max_bytes, drop=True)
            views = _views(args, gaussians)
        with reporter.phase("render") as progress:

            def pictures() -> Iterator[tuple[str, np.ndarray]]:
                for number, eyes in enumerate(views):
                    yield eyes[0].name, _picture(rasterizer, gaussians, eyes)
                    progress.update((number + 1) / len(views), f"{number + 1} of {len(views)} views")

            write(pictures(), len(views))
        seconds = reporter.phases[-1].seconds
    summary = {"views": len(views), "splats": len(gaussians), "rasterizer": rasterizer.name,
               "ms_per_view": round(1000 * seconds / len(views), 2)}  # fmt: skip
    if args.json:
        print(json.dumps(summary))
    elif not args.quiet:
        pace = f"{len(views)}, {summary['ms_per_view']} ms each with {rasterizer.name}, writing included"
        print(table([("views", pace), ("written", args.output)]))
    return 0


def _views(args: argparse.Namespace, gaussians: Gaussians) -> list[tuple[Camera, ...]]:
    """One camera per view, or a left and a right one."""
    from exgs.scene import orbit, read_cameras, stereo_pair

    if args.head_trace:
        cameras = _trace_cameras(args, gaussians)
    elif args.orbit:
        cameras = orbit(gaussians, args.orbit, size=args.size or DEFAULT_SIZE)
    else:
        cameras = read_cameras(args.cameras)
    if args.view is not None:
        cameras = [camera for camera in cameras if camera.name == args.view]
        if not cameras:
            raise UsageError(f"--view {args.view}: no camera of that name")
    if args.size:
        cameras = [camera.resized(*args.size) for camera in cameras]
    if not args.stereo:
        return [(camera,) for camera in cameras]
    ipd = IPD_METRES * _start(args.input, gaussians).units_per_metre
    return [stereo_pair(camera, ipd) for camera in cameras]


def _trace_cameras(args: argparse.Namespace, gaussians: Gaussians) -> list[Camera]:
    from exgs.scene import head_cameras, read_head_trace

    trace = read_head_trace(args.head_trace)
    seconds = min(args.seconds or trace.duration_s, trace.duration_s)
    times_s = np.arange(max(1, int(seconds * args.fps))) / args.fps
    start = _start(args.input, gaussians)
    return head_cameras(trace, gaussians, times_s, size=args.size or DEFAULT_SIZE, start=start)


def _start(path: str, gaussians: Gaussians) -> StartView:
    """Where a viewer begins: what a .ugc file names, or a place of our choice."""
    from exgs.cli.files import is_ugc
    from exgs.codec import parse_preamble
    from exgs.scene import starting_view

    named = parse_preamble(Path(path).read_bytes()).header.start if is_ugc(path) else None
    return named or starting_view(gaussians)


def _picture(rasterizer: Rasterizer, gaussians: Gaussians, eyes: Sequence[Camera]) -> np.ndarray:
    color = rasterizer.render(gaussians, eyes).color
    return np.concatenate(list(color), axis=1)


def _writer(args: argparse.Namespace):  # type: ignore[no-untyped-def]
    """The function that takes (name, picture) pairs and their number, chosen by the output's name."""
    from exgs.cli.files import DRY_RUN, check_output
    from exgs.cli.pictures import write_png

    suffix = Path(args.output).suffix.lower()
    if suffix == VIDEO_SUFFIX:
        target = check_output(args.output, overwrite=args.overwrite)
        assert target is not None
        return lambda pictures, _count: _write_video(target, pictures, args.fps)
    if suffix == ".png":
        single = check_output(args.output, overwrite=args.overwrite)
        assert single is not None

        def write_one(pictures: Iterator[tuple[str, np.ndarray]], count: int) -> None:
            if count != 1:
                raise UsageError(
                    f"{count} views do not fit one .png: name a folder or an .mp4, or pick one with --view"
                )
            write_png(single, next(pictures)[1])
            next(pictures, None)

        return write_one
    if suffix and args.output != DRY_RUN:
        raise UsageError(f"{args.output}: expected a .png, an .mp4 or a folder")

    def write_folder(pictures: Iterator[tuple[str, np.ndarray]], _count: int) -> None:
        folder = None if args.output == DRY_RUN else _folder(args.output)
        for name, picture in pictures:
            target = check_output(str(folder / f"{name}.png"), overwrite=args.overwrite) if folder else None
            if target is not None:
                write_png(target, picture)

    return write_folder


def _folder(output: str) -> Path:
    folder = Path(output)
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{output} exists and is no folder")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _write_video(target: Path, pictures: Iterator[tuple[str, np.ndarray]], fps: float) -> None:
    from exgs.client.presenters import write_video

    write_video(target, (picture for _, picture in pictures), fps=fps)

"""``exgs play``: plays a remote scene."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from exgs.cli import arguments, network
from exgs.cli.errors import UsageError
from exgs.cli.paths import check_output, find_inputs

if TYPE_CHECKING:
    from exgs.client.config import PlayConfig
    from exgs.client.statistics import PlaySummary

NEEDS = ("exgs.cli.watching", "exgs.client.session")
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
MAX_FPS = 240.0
MAX_MBPS = 1e6
FRAMES_SUFFIX, SECONDS_SUFFIX = ".csv", ".jsonl"
"""Of ``--stats``: a row for every frame, an object for every second."""
DEFAULT_SIZE = (640, 360)
DEFAULT_FPS = 30.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the arguments of ``exgs play``."""
    parser.add_argument("url", metavar="URL", help="the server, such as http://127.0.0.1:8080")
    parser.add_argument("--scene", metavar="NAME", help="which of its scenes (default: the first)")
    network.add_token(parser, "the server's secret")
    network.add_ice_servers(parser)
    network.add_transport(parser)
    parser.add_argument(
        "--max-mbps", type=_mbps, metavar="N", help="the most that the server may send (default: no bound)"
    )
    head = parser.add_argument_group("the head").add_mutually_exclusive_group()
    head.add_argument("--head-trace", metavar="CSV", help="recorded movement (default: a built-in one)")
    head.add_argument("--orbit", action="store_true", help="a loop around the object or through the room")
    _add_picture(parser.add_argument_group("the picture"))
    arguments.add_backend(parser)
    arguments.add_restore(parser, live=True)
    _add_output(parser.add_argument_group("output"))
    arguments.add_json(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)


def _add_picture(group: argparse._ArgumentGroup) -> None:
    group.add_argument("--stereo", action="store_true", help="both eyes side by side, left eye left")
    group.add_argument(
        "--size", type=arguments.picture_size, metavar="WxH", default=DEFAULT_SIZE,
        help="of one eye's picture, in pixels (default: 640x360)",
    )  # fmt: skip
    group.add_argument("--fps", type=_fps, default=DEFAULT_FPS, help="frames per second (default: 30)")
    group.add_argument(
        "--seconds", type=arguments.seconds, metavar="S",
        help="how long, from the first frame (default: the head trace's length, else 10)",
    )  # fmt: skip
    group.add_argument(
        "--max-splats", type=_splats, metavar="N", default=0,
        help="the most splats of all levels to hold (default: no bound)",
    )  # fmt: skip
    group.add_argument(
        "--no-fade", action="store_true", help="show finer splats at once, without a short fade"
    )


def _add_output(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--out", metavar="FILE.mp4|FOLDER|null", help="where pictures go (default: null, nowhere)"
    )
    group.add_argument(
        "--stats", metavar="FILE.csv|FILE.jsonl", action="append", default=[],
        help="a row for every frame, or a JSON object for every second; may be given once for each",
    )  # fmt: skip
    group.add_argument("--no-dashboard", action="store_true", help="plain lines on a terminal too")


def check(args: argparse.Namespace) -> None:
    """Finds mistakes that can be told at once."""
    arguments.check_restore(args)
    _check_address(args.url)
    find_inputs(args.head_trace)
    _stats(args.stats, overwrite=args.overwrite)
    _out(args.out, overwrite=args.overwrite)


def run(args: argparse.Namespace) -> int:
    """Plays to the end; 0, or 1 where the connection was lost before."""
    from exgs.cli.watching import listening
    from exgs.client.session import play

    config = _config(args)
    with listening(quiet=args.quiet or args.json, dashboard=not args.no_dashboard) as listen:
        cut_short: list[PlaySummary] = []
        try:
            summary = network.run(play(config, listen=listen, interrupted=cut_short.append))
        except KeyboardInterrupt:
            for summary in cut_short:
                _report(args, summary)
            raise
    _report(args, summary)
    if summary.lost_connection is not None:
        print(f"exgs: connection lost: {summary.lost_connection}; showed what had arrived", file=sys.stderr)
        return 1
    return 0


def _report(args: argparse.Namespace, summary: PlaySummary) -> None:
    from exgs.cli.terminal import table
    from exgs.cli.watching import rows

    if args.json:
        print(json.dumps(summary.to_json()))
    elif not args.quiet:
        print(table(rows(summary)))


def _config(args: argparse.Namespace) -> PlayConfig:
    from exgs.client.config import PlayConfig
    from exgs.protocol.megabits import bytes_per_s

    stats = _stats(args.stats, overwrite=args.overwrite)
    return PlayConfig(
        url=args.url,
        scene=args.scene,
        token=network.token(args.token),
        path="orbit" if args.orbit else "head",
        head_trace=Path(args.head_trace) if args.head_trace else None,
        stereo=args.stereo,
        size=args.size,
        fps=args.fps,
        seconds=args.seconds,
        out=_out(args.out, overwrite=args.overwrite),
        stats=stats.get(FRAMES_SUFFIX),
        status_log=stats.get(SECONDS_SUFFIX),
        max_splats=args.max_splats,
        fade_s=0.0 if args.no_fade else PlayConfig.fade_s,
        backend=args.backend,
        restore=args.restore,
        restore_engine=args.restore_engine,
        ice_servers=tuple(args.ice_server),
        transport=args.transport,
        max_bytes_per_s=bytes_per_s(args.max_mbps),
    )


def _check_address(url: str) -> None:
    """Refuses what is no address, and a file in the place of a server, where the difference can be told."""
    from exgs.client.address import endpoint_url
    from exgs.client.errors import ClientError

    if "://" in url or not Path(url).exists():
        try:
            endpoint_url(url)
        except ClientError as error:
            raise UsageError(str(error)) from error
        return
    what = "folder" if Path(url).is_dir() else "file"
    raise UsageError(
        f"{url} is a {what}, expected a server's address: 'exgs serve {url}' serves it, "
        "'exgs render' draws a scene without one"
    )


def _out(name: str | None, *, overwrite: bool) -> Path | None:
    if name is None:
        return None

    from exgs.client.presenters import VIDEO_SUFFIXES

    suffix = Path(name).suffix.lower()
    if suffix in VIDEO_SUFFIXES:
        return check_output(name, overwrite=overwrite, suffixes=VIDEO_SUFFIXES)
    if suffix and not Path(name).is_dir():
        raise UsageError(f"--out {name}: expected a video ({', '.join(VIDEO_SUFFIXES)}), a folder, or null")
    target = check_output(name, overwrite=overwrite)
    if target is not None and target.exists() and not target.is_dir():
        raise UsageError(f"--out {name}: is a file; a video's name ends in {VIDEO_SUFFIXES[0]}")
    return target


def _stats(names: Sequence[str], *, overwrite: bool) -> dict[str, Path]:
    """The files for statistics by their suffix, one of each at most."""
    found: dict[str, Path] = {}
    for name in names:
        path = check_output(name, overwrite=overwrite, suffixes=(FRAMES_SUFFIX, SECONDS_SUFFIX))
        if path is not None and found.setdefault(path.suffix.lower(), path) is not path:
            raise UsageError(f"--stats {name}: one file that ends in {path.suffix} is enough")
    return found


def _splats(text: str) -> int:
    if not re.fullmatch(r"\d{1,12}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"expected a number of splats, such as 1000000, found {text!r}")
    return int(text)


def _fps(text: str) -> float:
    return _at_most(arguments.positive_float(text), MAX_FPS)


def _mbps(text: str) -> float:
    return _at_most(arguments.positive_float(text), MAX_MBPS)


def _at_most(value: float, limit: float) -> float:
    if value > limit:
        raise argparse.ArgumentTypeError(f"{value:g} is more than {limit:g}")
    return value

"""``exgs demo``: the whole path on a scene the project generates itself.

Generates an interior, encodes it to a hundredth of its float size, serves it in a process of its own, plays
it over WebRTC while a head moves, and compares what arrived with the source from views that the encoder did
not use.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exgs.cli import arguments, network
from exgs.cli.encode import Phases
from exgs.cli.encoded import facts
from exgs.cli.encoding import add_effort, given
from exgs.cli.errors import UsageError
from exgs.cli.folders import check_folder_name, make_folder
from exgs.cli.terminal import Reporter, size, table
from exgs.codec import EncodeConfig
from exgs.version import __version__

if TYPE_CHECKING:
    from exgs.raster import Rasterizer
    from exgs.scene import Gaussians

NEEDS = (
    "exgs.cli.compare", "exgs.cli.pictures", "exgs.cli.rasterising", "exgs.client.session",
    "exgs.codec.decoder", "exgs.codec.encoding.encoder", "exgs.raster.quality",
)  # fmt: skip
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
SCENE, STREAM, CAMERAS = "interior.ply", "interior.ugc", "cameras.json"
VIDEO, SHEET, FRAMES, REPORT = "session.mp4", "sheet.png", "frames.csv", "report.json"
OUTPUTS = (SCENE, STREAM, CAMERAS, VIDEO, SHEET, FRAMES, REPORT)
COUNTS = (1000, 20_000_000)
"""Fewest and most Gaussians that are generated."""
RATIO = 100.0
JUDGED_VIEWS = 8
JUDGED_SEED = 20260101
"""Seed of the views to judge from: another one than the encoder's."""
PICTURE_SIZE = (640, 360)
_SERVE = """
from exgs.cli.main import run
from exgs.cli.process import end_with_input
end_with_input()
raise SystemExit(run())
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs demo``."""
    parser.add_argument(
        "--out", metavar="FOLDER", default="demo-out", help="where results go (default: demo-out)"
    )
    parser.add_argument(
        "--count", type=arguments.whole_between(*COUNTS), default=300_000,
        help="Gaussians to generate (default: 300000)",
    )  # fmt: skip
    parser.add_argument("--seed", type=arguments.whole_number, default=1, help="of the interior")
    parser.add_argument(
        "--seconds", type=arguments.seconds, default=8.0, help="how long to play (default: 8)"
    )
    parser.add_argument(
        "--fps", type=arguments.frame_rate, default=15.0, help="frames per second (default: 15)"
    )
    parser.add_argument("--stereo", action="store_true", help="play both eyes side by side")
    add_effort(parser)
    arguments.add_backend(parser)
    arguments.add_restore(parser, live=True)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Refuses flags that would be ignored, and to replace what an earlier demo left unasked."""
    arguments.check_restore(args)
    folder = Path(args.out)
    check_folder_name(folder)
    existing = _existing(folder)
    if existing and not args.overwrite:
        raise UsageError(f"{existing[0]} exists; -w replaces it, --out names another folder")


def run(args: argparse.Namespace) -> int:
    """Runs the demo and writes its report."""
    from exgs.cli.rasterising import rasterizer_for, restorer_for
    from exgs.scene import generate_interior, write_scene
    from exgs.scene.formats.atomic import write_bytes

    folder = _prepare(args.out)
    report: dict[str, Any] = {}
    with Reporter(quiet=args.quiet or args.json) as reporter:
        rasterizer = rasterizer_for(args.backend, reporter)
        restorer_for(args.restore, args.restore_engine, reporter, video=True)  # fails now, if it does
        with reporter.phase("generate"):
            gaussians = generate_interior(seed=args.seed, count=args.count)
            write_scene(folder / SCENE, gaussians)
        config = EncodeConfig(ratio=RATIO, **given(args, "effort"))
        report["encode"] = _encode(gaussians, folder / STREAM, config, rasterizer, reporter)
        with reporter.phase("play"), _server(folder / STREAM) as url:
            report["play"] = _play(args, url, folder)
        with reporter.phase("compare"):
            report["quality"] = _compare(gaussians, folder, rasterizer)
    report["made_with"] = _made_with(args, rasterizer) | {"effort": config.effort}
    text = json.dumps(report, indent=1) + "\n"
    write_bytes(folder / REPORT, text.encode())
    if args.json:
        print(json.dumps(report))
    elif not args.quiet:
        print(table(_rows(report, folder)))
    return 0


def _existing(folder: Path) -> list[Path]:
    return [folder / output for output in OUTPUTS if (folder / output).exists()]


def _prepare(name: str) -> Path:
    """The folder of results, empty of earlier ones."""
    folder = make_folder(Path(name))
    for output in _existing(folder):
        output.unlink()
    return folder


def _encode(
    gaussians: Gaussians, path: Path, config: EncodeConfig, rasterizer: Rasterizer, reporter: Reporter
) -> dict[str, Any]:
    from exgs.codec import encode
    from exgs.scene.formats.atomic import write_bytes

    before = len(reporter.phases)
    with Phases(reporter) as phases:
        encoding = encode(gaussians, config, rasterizer=rasterizer, progress=phases.follow)
    write_bytes(path, encoding.data)
    return facts(encoding.report, reporter.phases[before:])


@contextmanager
def _server(path: Path) -> Iterator[str]:
    """A server process for one stream on a free port; the value is its address.

    It ends with this process too, however that ends.
    """
    command = [sys.executable, "-c", _SERVE, "serve", str(path), "--port", "0"]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        yield _address(process)
    finally:
        try:
            process.communicate(timeout=10)  # which closes its input
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    """Waits for the line that says where the server listens."""
    from exgs.server.errors import ServerError

    said: list[str] = []
    assert process.stdout is not None
    for line in process.stdout:
        said.append(line.strip())
        if match := re.search(r"http://\S+:\d+", line):
            return match[0].rstrip("/")
    raise ServerError(f"the server did not start: {' '.join(said[-3:])}")


def _play(args: argparse.Namespace, url: str, folder: Path) -> dict[str, Any]:
    from exgs.client.config import PlayConfig
    from exgs.client.session import play

    config = PlayConfig(
        url, stereo=args.stereo, size=PICTURE_SIZE, fps=args.fps, seconds=args.seconds,
        out=folder / VIDEO, stats=folder / FRAMES, backend=args.backend,
        restore=args.restore, restore_engine=args.restore_engine,
    )  # fmt: skip
    return asdict(network.run(play(config)))


def _compare(gaussians: Gaussians, folder: Path, rasterizer: Rasterizer) -> dict[str, Any]:
    """Judges the decoded stream from views that the encoder did not use; writes views and contact sheet."""
    from exgs.cli.compare import compare_views, summarise
    from exgs.cli.pictures import write_sheet
    from exgs.codec import decode
    from exgs.scene import sample_views, write_cameras

    decoded = decode((folder / STREAM).read_bytes())
    cameras = sample_views(gaussians, JUDGED_VIEWS, seed=JUDGED_SEED, size=PICTURE_SIZE)
    write_cameras(folder / CAMERAS, cameras)
    rows, pairs = compare_views(rasterizer, (gaussians, decoded), cameras)
    write_sheet(folder / SHEET, pairs)
    return summarise(rows)


def _made_with(args: argparse.Namespace, rasterizer: Rasterizer) -> dict[str, Any]:
    """What somebody needs to make the same report again."""
    return {
        "exgs": __version__,
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "rasterizer": rasterizer.name,
        "picture": PICTURE_SIZE,
        "fps": args.fps,
        "seconds": args.seconds,
        "stereo": args.stereo,
        "restore": args.restore,
        "seed": args.seed,
        "count": args.count,
    }


def _rows(report: dict[str, Any], folder: Path) -> list[tuple[str, str]]:
    encoded, played, quality = report["encode"], report["play"], report["quality"]
    splats, shown = f"{encoded['splats_kept']:,} splats", f"{played['frames_shown']} shown"
    goodput = 8e-6 * (played["goodput_bytes_per_s"] or 0)
    restored = f"{played['frames_restored']} frames by {played['restorer']}"
    return [
        ("scene", f"{encoded['splats_in']:,} splats, {size(encoded['float_bytes'])} as float32"),
        ("stream", f"{size(encoded['bytes'])}, ratio {encoded['ratio']:.0f}, {splats}"),
        ("quality", f"{_quality(quality)} over {quality['views']} views that the encoder did not use"),
        ("first frame", f"{_seconds(played['first_frame_s'])} after the offer"),
        ("complete", f"{_seconds(played['complete_s'])} after the offer"),
        ("frames", f"{shown}, {played['frames_late']} late, {played['frame_ms_p50']:.1f} ms median"),
        *([("restored", restored)] if played["restorer"] != "off" else []),
        ("goodput", f"{goodput:.1f} Mbit/s over WebRTC on this machine"),
        ("results", f"{folder}/: {VIDEO}, {SHEET} (original | decoded), {REPORT}, {STREAM}, {SCENE}"),
    ]


def _quality(quality: dict[str, Any]) -> str:
    psnr, ssim, flip = quality["psnr_mean"], quality["ssim_mean"], quality["flip_mean"]
    return f"PSNR {psnr:.2f} dB, SSIM {ssim:.3f}, FLIP {flip:.3f}"


def _seconds(value: float | None) -> str:
    return "never" if value is None else f"{value:.2f} s"

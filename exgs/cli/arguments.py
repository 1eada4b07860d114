"""Values that several commands take on the command line."""

from __future__ import annotations

import argparse
import importlib.util
import math
import re
from collections.abc import Callable
from pathlib import Path

from exgs.cli.errors import UsageError

MAX_SIDE = 8192
MIN_FPS, MAX_FPS = 0.1, 1000.0
LEAST, MOST = 1e-9, 1e9
"""Of numbers above zero: what is meant lies within."""
MAX_BYTES = 1 << 50
MAX_SECONDS = 86_400.0
MAX_THREADS = 1024
RESTORE_MODES = ("off", "auto", "tiny", "small", "base")
"""What ``--restore`` takes beside folders: ``exgs.painter.MODES``, which takes a second to import."""
RESTORE_ENGINES = ("auto", "cpu", "cuda", "tensorrt", "torch")
"""Likewise ``exgs.painter.ENGINES``."""
_SUFFIXES = {"": 1, "k": 1000, "m": 1000**2, "g": 1000**3, "ki": 1024, "mi": 1024**2, "gi": 1024**3}


def name(text: str) -> str:
    """What something is called, a file or other: anything but nothing.

    A variable of the shell that is not set is nothing, and as a path that would be the current folder.
    """
    if not text:
        raise argparse.ArgumentTypeError("expected a name, found nothing")
    return text


def path(text: str) -> Path:
    """Where something lies."""
    return Path(name(text))


def byte_count(text: str) -> int:
    """A positive number of bytes: ``3310000``, ``3.31MB``, ``512KiB``."""
    match = re.fullmatch(r"(\d{1,18}(?:\.\d{1,18})?)\s*([kmg]i?)?b?", text.strip().lower())
    if not match:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of bytes (such as 800000, 3.3MB or 512KiB)")
    value = int(float(match[1]) * _SUFFIXES[match[2] or ""])
    if not 0 < value <= MAX_BYTES:
        raise argparse.ArgumentTypeError(f"{text!r}: expected more than zero bytes, and at most {MAX_BYTES}")
    return value


def positive_int(text: str) -> int:
    """A whole number above zero."""
    if not re.fullmatch(r"\d{1,9}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number above zero")
    return int(text)


def whole_number(text: str) -> int:
    """A whole number, zero included."""
    if not re.fullmatch(r"\d{1,18}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number, not below zero")
    return int(text)


def whole_between(least: int, most: int) -> Callable[[str], int]:
    """Reads a whole number from ``least`` to ``most``."""

    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,18}", text) or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from {least} to {most}")
        return int(text)

    return read


def positive_float(text: str) -> float:
    """A number above zero, neither infinitesimal nor huge."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number above zero")
    if not LEAST <= value <= MOST:
        raise argparse.ArgumentTypeError(f"{text!r}: expected {LEAST:g} to {MOST:g}")
    return value


def seconds(text: str) -> float:
    """How long something plays."""
    value = positive_float(text)
    if value > MAX_SECONDS:
        raise argparse.ArgumentTypeError(f"{text!r}: expected {MAX_SECONDS:g} seconds at most")
    return value


def duration_s(text: str) -> int:
    """Whole seconds above zero: ``90``, ``30m``, ``8h``, ``7d``."""
    match = re.fullmatch(r"(\d{1,9})([smhd]?)", text.strip().lower())
    if not match or int(match[1]) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no time (such as 90, 30m, 8h or 7d)")
    return int(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}[match[2]]


def picture_size(text: str) -> tuple[int, int]:
    """``WxH`` in pixels."""
    match = re.fullmatch(r"(\d{1,5})x(\d{1,5})", text)
    if not match or not all(0 < int(side) <= MAX_SIDE for side in match.groups()):
        raise argparse.ArgumentTypeError(
            f"{text!r}: expected WIDTHxHEIGHT, such as 640x360, up to {MAX_SIDE}"
        )
    return int(match[1]), int(match[2])


def frame_rate(text: str) -> float:
    """Frames per second."""
    value = positive_float(text)
    if not MIN_FPS <= value <= MAX_FPS:
        raise argparse.ArgumentTypeError(f"{text!r}: expected {MIN_FPS:g} to {MAX_FPS:g} frames per second")
    return value


def port(text: str) -> int:
    """A TCP port; 0 asks for any that is free."""
    if not re.fullmatch(r"\d{1,5}", text) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r}: expected 0 to 65535")
    return int(text)


def axes(text: str) -> str:
    """The names of a frame's axes, such as ``RDF``."""
    from exgs.scene import Frame, SceneError

    try:
        return Frame(text.upper()).axes
    except SceneError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_axes(parser: argparse.ArgumentParser) -> None:
    """Adds ``--axes``: what the file does not say, or says wrongly."""
    parser.add_argument(
        "--axes", type=axes, help="where the source's axes point, such as RUB, if not as its format says"
    )


def add_camera_axes(parser: argparse.ArgumentParser) -> None:
    """Adds ``--camera-axes``: the frame of a camera file made for another file of the scene."""
    parser.add_argument(
        "--camera-axes", type=axes, metavar="AXES",
        help="frame that --cameras are in, such as RDF, if not the scene's own",
    )  # fmt: skip


def add_overwrite(parser: argparse.ArgumentParser) -> None:
    """Adds ``-w/--overwrite``."""
    parser.add_argument("-w", "--overwrite", action="store_true", help="replace outputs that exist")


def add_quiet(parser: argparse.ArgumentParser) -> None:
    """Adds ``-q/--quiet``."""
    parser.add_argument("-q", "--quiet", action="store_true", help="print no progress")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Adds ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of text")


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Adds ``--backend``: which rasteriser draws."""
    parser.add_argument(
        "--backend",
        choices=("auto", "cpu", "cuda", "twin"),
        default="auto",
        help="rasteriser (default: auto)",
    )


def add_restore(parser: argparse.ArgumentParser, *, live: bool = False) -> None:
    """Adds ``--restore`` and ``--restore-engine``: what repairs pictures, and what runs it.

    What is shown ``live`` is repaired as long as there is time, where that is possible at once.
    """
    ready = live and importlib.util.find_spec("onnxruntime") is not None
    default = "auto where onnxruntime is installed, else off" if live else "off"
    parser.add_argument(
        "--restore", metavar="MODE", default="auto" if ready else "off",
        help=f"repair pictures of a compressed scene: {', '.join(RESTORE_MODES)}, "
        f"or a folder of weights (default: {default})",
    )  # fmt: skip
    parser.add_argument(
        "--restore-engine",
        choices=RESTORE_ENGINES,
        default="auto",
        help="what runs the restorer (default: auto)",
    )


def check_restore(args: argparse.Namespace) -> None:
    """Refuses a word that is no mode, and ``--restore-engine`` where nothing would be run by it."""
    mode = Path(args.restore)
    if args.restore not in RESTORE_MODES and len(mode.parts) == 1 and not mode.exists():
        raise UsageError(f"--restore {mode}: expected {', '.join(RESTORE_MODES)}, or a folder of weights")
    if args.restore == "off" and args.restore_engine != "auto":
        raise UsageError("--restore-engine: nothing is restored where --restore is off")

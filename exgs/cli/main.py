"""The ``exgs`` command: finds the subcommand, runs it, and turns failures into one line and an exit code."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType

from exgs.cli import arguments
from exgs.cli.errors import UsageError
from exgs.cli.interrupting import INTERRUPTED, raising
from exgs.cli.process import ending_on_signals, prepare_streams
from exgs.version import __version__

COMMANDS = {
    "demo": "run the whole path on a generated scene: encode, serve, stream, report",
    "reconstruct": "turn posed pictures into a scene, in one pass",
    "encode": "compress a scene into a .ugc bitstream",
    "decode": "turn a .ugc bitstream, or a prefix of it, back into a scene",
    "info": "say what a file holds",
    "convert": "convert between scene formats",
    "render": "render a scene into pictures or a video",
    "compare": "measure how close a scene looks to its reference",
    "serve": "serve scenes to viewers over WebRTC",
    "play": "play a remote scene",
    "token": "make a token that lets viewers in for a while",
    "painter": "make, train and judge the networks that repair pictures",
    "feedforward": "make, train and judge the networks that turn pictures into Gaussians",
    "experiment": "measure a grid of sessions over emulated networks",
    "doctor": "say what this machine can do",
}
"""Subcommands in the order of the help page; each is the module of that name beside this one."""

FAILURES = (
    ("exgs.cli.errors", "CommandError"),
    ("exgs.client.errors", "ClientError"),
    ("exgs.codec.errors", "CodecError"),
    ("exgs.experiments.errors", "ExperimentError"),
    ("exgs.feedforward.errors", "FeedforwardError"),
    ("exgs.painter.errors", "PainterError"),
    ("exgs.protocol.errors", "ProtocolError"),
    ("exgs.raster.choose", "RasterizerError"),
    ("exgs.scene.errors", "SceneError"),
    ("exgs.server.errors", "ServerError"),
    ("exgs.weights.errors", "WeightsError"),
)
"""The errors that say in a sentence what went wrong, by their module: importing all takes a second."""

EPILOG = "Exit codes: 0 done, 1 the work failed (one line says why), 2 wrong usage."


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit code: 0 done, 1 the work failed, 2 wrong usage."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    prepare_streams()
    try:
        code = _command(words)
        sys.stdout.flush()
        return code
    except UsageError as error:
        return _fail(str(error), 2)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED)
    except MemoryError:
        return _fail("not enough memory on this machine for that", 1)
    except OSError as error:
        reason = error.strerror or str(error)
        return _fail(f"{error.filename}: {reason}" if error.filename else reason, 1)
    except _failures() as error:
        return _fail(str(error), 1)


def _command(words: list[str]) -> int:
    parser, chosen = build_parser(words)
    args, unknown = parser.parse_known_args(words)
    if unknown:
        args.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if chosen is None:
        parser.print_help()
        return 0
    try:
        _prepare(chosen, args)
        with raising(), ending_on_signals():  # not before: what is being imported cannot be interrupted
            return int(chosen.run(args))
    except UsageError as error:
        raise UsageError(f"{error}\nTry '{args.parser.prog} --help'.") from error


def _prepare(chosen: ModuleType, args: argparse.Namespace) -> None:
    """Finds the mistakes that can be told at once, then imports what the command names: its ``check`` and
    ``NEEDS``, or ``needs`` where that depends on what was asked, where it has them."""
    check: Callable[[argparse.Namespace], None] = getattr(chosen, "check", lambda args: None)
    check(args)
    needs: Callable[[argparse.Namespace], Sequence[str]] | None = getattr(chosen, "needs", None)
    for name in getattr(chosen, "NEEDS", ()) if needs is None else needs(args):
        importlib.import_module(name)


def build_parser(words: Sequence[str]) -> tuple[argparse.ArgumentParser, ModuleType | None]:
    """The parser for ``words`` and the module of the subcommand among them.

    Only that subcommand's module is imported, so that help and mistakes answer at once.
    """
    parser = argparse.ArgumentParser(
        prog="exgs",
        description="Streaming codec that brings 3D Gaussian Splatting scenes to XR headsets.",
        epilog=EPILOG,
        allow_abbrev=False,
    )
    parser.set_defaults(parser=parser)
    parser.add_argument("--version", action="version", version=f"exgs {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", dest="command")
    named = next((word for word in words if not word.startswith("-")), None)
    chosen = None
    for name, summary in COMMANDS.items():
        child = subparsers.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=EPILOG,
            allow_abbrev=False,
        )  # fmt: skip
        child.set_defaults(parser=child)
        if name == named:
            chosen = importlib.import_module(f"exgs.cli.{name}")
            child.register("type", None, arguments.name)  # of all that names no other type
            chosen.add_arguments(child)
    return parser, chosen


def _failures() -> tuple[type[BaseException], ...]:
    """Those of ``FAILURES`` that can have been raised: what is not imported has raised nothing."""
    return tuple(getattr(sys.modules[place], name) for place, name in FAILURES if place in sys.modules)


def _fail(reason: str, code: int) -> int:
    print(f"exgs: {reason}", file=sys.stderr)
    return code

"""Groups of commands about one kind of network, and the flags that such groups share."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable, Mapping

from exgs.cli import arguments

MINUTES = 60.0
"""Of training where nobody says otherwise."""
MOST_INTERIORS = 10_000
"""That are generated in one call."""
Actions = Mapping[str, tuple[str, Callable[[argparse.ArgumentParser], None]]]
"""Of each command its summary, and what adds its arguments."""


def add_actions(parser: argparse.ArgumentParser, actions: Actions) -> None:
    """Adds the commands of a group."""
    parser.register("type", None, str)  # the words of an action are its own to look at
    commands = parser.add_subparsers(title="commands", metavar="ACTION", required=True)
    for name, (summary, add) in actions.items():
        child = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", epilog=parser.epilog,
            allow_abbrev=False,
        )  # fmt: skip
        child.register("type", None, arguments.name)
        child.set_defaults(parser=child, action=name)
        add(child)


def action_module(args: argparse.Namespace, group: str) -> str:
    """The name of the module of the chosen command of ``group``, which stands beside this one."""
    return f"exgs.cli.{group}_{args.action.replace('-', '_')}"


def run_action(args: argparse.Namespace, group: str) -> int:
    """Runs the chosen command of ``group``."""
    return int(importlib.import_module(action_module(args, group)).run(args))


def add_scenes(parser: argparse.ArgumentParser) -> None:
    """Adds the scenes that data is made of."""
    parser.add_argument("--scenes", metavar="SCENE", nargs="+", default=[], help="scenes in any format")
    parser.add_argument(
        "--generated", metavar="N", type=arguments.whole_between(0, MOST_INTERIORS), default=0,
        help="interiors to generate besides (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--first-interior", metavar="SEED", type=arguments.whole_number, default=1,
        help="seed of the first of them; the others follow (default: 1)",
    )  # fmt: skip


def add_unseen_scenes(parser: argparse.ArgumentParser) -> None:
    """Adds the scenes that weights are judged by."""
    parser.add_argument(
        "--scenes", metavar="SCENE", nargs="+", default=[], help="scenes that were not trained on"
    )
    parser.add_argument(
        "--generated", metavar="SEED", type=arguments.whole_number, nargs="+", default=[],
        help="seeds of interiors to generate besides",
    )  # fmt: skip


def add_threads(parser: argparse.ArgumentParser) -> None:
    """Adds ``--threads``."""
    parser.add_argument(
        "--threads", metavar="N", type=arguments.whole_between(1, arguments.MAX_THREADS),
        help="processors to use (default: all)",
    )  # fmt: skip


def add_run(parser: argparse.ArgumentParser, *, seed: str, checkpoint_minutes: float) -> None:
    """Adds where a training goes and how long it takes; ``seed`` is what a seed decides."""
    parser.add_argument("out", metavar="OUT", help="the folder for checkpoint, log and sample sheet")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes", metavar="N", type=arguments.positive_float,
        help=f"stop after this (default: {MINUTES:g})",
    )  # fmt: skip
    length.add_argument(
        "--steps", metavar="N", type=arguments.positive_int, help="stop after this many steps"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in OUT")
    add_threads(parser)
    parser.add_argument("--seed", type=arguments.whole_number, default=0, help=f"of {seed} (default: 0)")
    parser.add_argument(
        "--checkpoint-minutes", metavar="N", type=arguments.positive_float, default=checkpoint_minutes,
        help=f"time between checkpoints (default: {checkpoint_minutes:g})",
    )  # fmt: skip
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)


def add_export(parser: argparse.ArgumentParser, group: str) -> None:
    """Adds what becomes weights, and what their manifest says besides."""
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="what training left, or its folder")
    parser.add_argument("out", metavar="OUT", help="the folder of weights to write")
    parser.add_argument("--name", metavar="NAME", help="of the weights (default: that of the folder)")
    parser.add_argument("--held-out", metavar="SCENE", nargs="+", default=[], help="scenes to name as unseen")
    parser.add_argument(
        "--scores", metavar="FILE", help=f"a report of 'exgs {group} evaluate --json' to include"
    )
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)

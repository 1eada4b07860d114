"""``exgs feedforward``: makes, trains and judges the networks that turn pictures into Gaussians."""

from __future__ import annotations

import argparse

from exgs.cli import arguments
from exgs.cli.groups import (
    Actions,
    action_module,
    add_actions,
    add_export,
    add_run,
    add_scenes,
    add_threads,
    add_unseen_scenes,
    run_action,
)

MOST_VIEWS, MOST_STEPS = 4096, 4096
"""Of a scene or a stretch, and of the path that a stretch follows."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of the group."""
    add_actions(parser, ACTIONS)


def needs(args: argparse.Namespace) -> tuple[str, ...]:
    """Imported before the work, while an interrupt ends the process at once."""
    return (action_module(args, "feedforward"),)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command of the group."""
    return run_action(args, "feedforward")


def ascending(text: str) -> tuple[int, ...]:
    """Numbers of views, each larger than the one before: ``6,12,24``."""
    numbers = tuple(arguments.whole_between(2, MOST_VIEWS)(part) for part in text.split(","))
    if list(numbers) != sorted(set(numbers)):
        raise argparse.ArgumentTypeError(f"{text!r}: expected ever larger numbers, such as 6,12,24")
    return numbers


def _add_make_views(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT", help="the folder to write view sets to")
    add_scenes(parser)
    parser.add_argument(
        "--views", metavar="N", type=arguments.whole_between(2, MOST_VIEWS),
        help="of each scene (default: 128)",
    )  # fmt: skip
    parser.add_argument(
        "--walk", metavar="N", type=arguments.whole_between(2, MOST_VIEWS),
        help="views of each walk (default: 64)",
    )  # fmt: skip
    parser.add_argument(
        "--size", metavar="WxH", type=arguments.picture_size, help="of the pictures (default: 224x128)"
    )
    parser.add_argument("--seed", type=arguments.whole_number, default=0, help="of the walks (default: 0)")
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sets", metavar="SETS", nargs="+", help="folders of view sets")
    add_run(parser, seed="weights and lessons", checkpoint_minutes=5.0)
    parser.add_argument("--size", choices=("small", "base"), default="small", help="(default: small)")
    parser.add_argument(
        "--rate",
        metavar="X",
        type=arguments.positive_float,
        help="largest step of the optimiser (default: 4e-4)",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    add_export(parser, "feedforward")
    parser.add_argument(
        "--sets", metavar="SETS", nargs="+", default=[],
        help="the view sets it was trained on: what was trained on, and scores of those held back",
    )  # fmt: skip


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", metavar="WEIGHTS", help="small, base, or a folder of weights")
    add_unseen_scenes(parser)
    parser.add_argument(
        "--views", metavar="N,N", type=ascending, default=(6, 12, 24, 36),
        help="numbers of views of one stretch to reconstruct from (default: 6,12,24,36)",
    )  # fmt: skip
    parser.add_argument(
        "--anchors", metavar="N", type=arguments.positive_int, default=6,
        help="views that go on, with ZPressor; without it all do (default: 6)",
    )  # fmt: skip
    parser.add_argument(
        "--targets", metavar="N", type=arguments.whole_between(1, MOST_VIEWS), default=8,
        help="views between, to judge from (default: 8)",
    )  # fmt: skip
    parser.add_argument(
        "--steps", metavar="N", type=arguments.whole_between(2, MOST_STEPS), default=40,
        help="length of the stretch: 4 cm of a walk each, or 1.8 degrees around an object (default: 40)",
    )  # fmt: skip
    parser.add_argument(
        "--size", metavar="WxH", type=arguments.picture_size, default=(224, 128),
        help="of all pictures (default: 224x128)",
    )  # fmt: skip
    add_threads(parser)
    parser.add_argument(
        "--sheet", metavar="OUT.png", help="write pictures: truth | with ZPressor | without, of most views"
    )
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


ACTIONS: Actions = {
    "make-views": ("walk through scenes and take pictures of them, to learn from", _add_make_views),
    "train": ("train a network on view sets", _add_train),
    "export": ("turn a checkpoint into weights that 'exgs reconstruct' takes", _add_export),
    "evaluate": ("measure what weights are worth on scenes that they never saw", _add_evaluate),
}
"""The commands of the group; each is run by ``feedforward_NAME`` beside this module."""

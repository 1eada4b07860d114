"""``exgs painter``: makes, trains and judges the networks that repair pictures."""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable

from exgs.cli import arguments

MINUTES = 60.0
"""Of training where nobody says otherwise."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of the group."""
    commands = parser.add_subparsers(title="commands", metavar="ACTION", required=True)
    for name, (summary, add) in ACTIONS.items():
        child = commands.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + ".", allow_abbrev=False
        )
        child.set_defaults(parser=child, action=name)
        add(child)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command of the group."""
    module = importlib.import_module(f"exgs.cli.painter_{args.action.replace('-', '_')}")
    return int(module.run(args))


def _add_make_pairs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT", help="the folder to write pairs to")
    parser.add_argument("--scenes", metavar="SCENE", nargs="+", default=[], help="scenes in any format")
    parser.add_argument(
        "--generated", metavar="N", type=arguments.whole_number, default=0,
        help="interiors to generate besides (default: 0)",
    )  # fmt: skip
    parser.add_argument(
        "--first-interior", metavar="SEED", type=arguments.whole_number, default=1,
        help="seed of the first of them; the others follow (default: 1)",
    )  # fmt: skip
    parser.add_argument(
        "--damage", metavar="KIND", nargs="+",
        help="what is done to scenes: METHOD-RATIO such as ugc-107 or exgs-200, METHOD-RATIO@SHARE for part "
        "of the file, source for nothing (default: ten kinds)",
    )  # fmt: skip
    parser.add_argument(
        "--views", metavar="N", type=arguments.positive_int, help="of each scene (default: 16)"
    )
    parser.add_argument(
        "--pairs-per-view", metavar="N", type=arguments.positive_int, help="damaged pictures (default: 2)"
    )
    parser.add_argument(
        "--size", metavar="PX", type=arguments.positive_int, help="side of the pictures (default: 256)"
    )
    parser.add_argument(
        "--seed", type=arguments.whole_number, default=0, help="of views and kinds (default: 0)"
    )
    parser.add_argument(
        "--encodings",
        metavar="DIR",
        help="keep encodings in this folder, and do not make again what is there",
    )
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)


def _add_train(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pairs", metavar="PAIRS", help="a folder of pairs")
    parser.add_argument("out", metavar="OUT", help="the folder for checkpoint, log and sample sheet")
    parser.add_argument("--size", choices=("tiny", "small", "base"), default="tiny", help="(default: tiny)")
    length = parser.add_mutually_exclusive_group()
    length.add_argument(
        "--minutes",
        metavar="N",
        type=arguments.positive_float,
        help=f"stop after this (default: {MINUTES:g})",
    )
    length.add_argument(
        "--steps", metavar="N", type=arguments.positive_int, help="stop after this many steps"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in OUT")
    parser.add_argument(
        "--threads", metavar="N", type=arguments.positive_int, help="processors to use (default: all)"
    )
    parser.add_argument(
        "--batch", metavar="N", type=arguments.positive_int, help="crops in a step (default: 8)"
    )
    parser.add_argument(
        "--crop", metavar="PX", type=arguments.positive_int, help="side of the crops (default: 128)"
    )
    parser.add_argument(
        "--seed", type=arguments.whole_number, default=0, help="of weights and crops (default: 0)"
    )
    parser.add_argument(
        "--checkpoint-minutes", metavar="N", type=arguments.positive_float, default=3.0,
        help="time between checkpoints (default: 3)",
    )  # fmt: skip
    parser.add_argument(
        "--vae", metavar="PATH", nargs="+",
        help="start from this autoencoder, and keep it: a folder in diffusers' format, or TAESD's two .pth "
        "files, encoder first (base)",
    )  # fmt: skip
    parser.add_argument(
        "--unet", metavar="DIR",
        help="start from this denoiser of the latents of --vae, such as that of SD-Turbo: a folder in "
        "diffusers' format (base)",
    )  # fmt: skip
    parser.add_argument(
        "--freeze-unet",
        action="store_true",
        help="keep the weights of --unet; only what is around them learns",
    )
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)


def _add_export(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", metavar="CHECKPOINT", help="what training left, or its folder")
    parser.add_argument("out", metavar="OUT", help="the folder of weights to write")
    parser.add_argument("--name", metavar="NAME", help="of the weights (default: that of the folder)")
    parser.add_argument(
        "--pairs", metavar="PAIRS",
        help="the pairs it was trained on: scores and gate from the views held back in them",
    )  # fmt: skip
    parser.add_argument("--held-out", metavar="SCENE", nargs="+", default=[], help="scenes to name as unseen")
    parser.add_argument(
        "--scores", metavar="FILE", help="a report of 'exgs painter evaluate --json' to include"
    )
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", metavar="WEIGHTS", help="tiny, small, base, or a folder of weights")
    parser.add_argument(
        "--scenes", metavar="SCENE", nargs="+", default=[], help="scenes that were not trained on"
    )
    parser.add_argument(
        "--cameras", metavar="DIR",
        help="folder with SCENE.json, the views to judge from (default: sampled views)",
    )  # fmt: skip
    parser.add_argument(
        "--generated", metavar="SEED", type=arguments.whole_number, nargs="+", default=[],
        help="seeds of interiors to generate besides",
    )  # fmt: skip
    parser.add_argument("--damage", metavar="KIND", nargs="+", help="as for make-pairs (default: six kinds)")
    parser.add_argument(
        "--views", metavar="N", type=arguments.positive_int, help="at most so many of each scene"
    )
    parser.add_argument(
        "--sheet", metavar="OUT.png", help="write pictures: source | decoded | restored | mask"
    )
    parser.add_argument("--encodings", metavar="DIR", help="as for make-pairs")
    parser.add_argument("--splat-transform", metavar="PATH", help="judge its decimated scenes too")
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


ACTIONS: dict[str, tuple[str, Callable[[argparse.ArgumentParser], None]]] = {
    "make-pairs": ("render clean and damaged pictures of scenes, to learn from", _add_make_pairs),
    "train": ("train a network on pairs", _add_train),
    "export": ("turn a checkpoint into weights that 'exgs render --restore' takes", _add_export),
    "evaluate": ("measure what weights are worth on scenes that they never saw", _add_evaluate),
}
"""The commands of the group; each is run by ``painter_NAME`` beside this module."""

"""``exgs painter``: makes, trains and judges the networks that repair pictures."""

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
    add_unseen_scenes,
    run_action,
)

LEAST_CROP, USUAL_CROP = 32, 128
"""Sides of the smallest crops that a network is trained on, and of those where nobody says."""
MOST_VIEWS, MOST_PAIRS_PER_VIEW = 4096, 4096
"""Of a scene, and of one of its views."""
MOST_CROPS = 4096
"""Of a training step."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the commands of the group."""
    add_actions(parser, ACTIONS)


def needs(args: argparse.Namespace) -> tuple[str, ...]:
    """Imported before the work, while an interrupt ends the process at once."""
    return (action_module(args, "painter"),)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command of the group."""
    return run_action(args, "painter")


def _add_make_pairs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="OUT", help="the folder to write pairs to")
    add_scenes(parser)
    parser.add_argument(
        "--damage", metavar="KIND", nargs="+",
        help="what is done to scenes: METHOD-RATIO such as ugc-107 or exgs-200, METHOD-RATIO-quick for a "
        "file made in less time, @SHARE after either for a part of it, source for nothing "
        "(default: ten kinds)",
    )  # fmt: skip
    parser.add_argument(
        "--views", metavar="N", type=arguments.whole_between(2, MOST_VIEWS),
        help="of each scene (default: 16)",
    )  # fmt: skip
    parser.add_argument(
        "--pairs-per-view", metavar="N", type=arguments.whole_between(1, MOST_PAIRS_PER_VIEW),
        help="damaged pictures (default: 2)",
    )  # fmt: skip
    parser.add_argument(
        "--size", metavar="PX", type=arguments.whole_between(LEAST_CROP, arguments.MAX_SIDE),
        help="side of the pictures (default: 256)",
    )  # fmt: skip
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
    add_run(parser, seed="weights and crops", checkpoint_minutes=3.0)
    parser.add_argument(
        "--size", choices=("tiny", "small", "base", "latent"),
        help="what to train: one of the sizes that are shipped, or one step of diffusion among latents, the "
        "published method's form (default: tiny, or what --weights are)",
    )  # fmt: skip
    parser.add_argument(
        "--weights", metavar="WEIGHTS",
        help="go on from these, in smaller steps: tiny, small, base, or a folder; a larger --size begins as "
        "what they are, and grows; with --resume name them again",
    )  # fmt: skip
    parser.add_argument(
        "--batch", metavar="N", type=arguments.whole_between(1, MOST_CROPS),
        help="crops in a step (default: 8)",
    )  # fmt: skip
    parser.add_argument(
        "--crop", metavar="PX", type=arguments.whole_between(LEAST_CROP, arguments.MAX_SIDE),
        help=f"side of the crops, a multiple of 16 (default: {USUAL_CROP})",
    )  # fmt: skip
    parser.add_argument(
        "--vae", metavar="PATH", nargs="+",
        help="start from this autoencoder, and keep it: a folder in diffusers' format, or TAESD's two .pth "
        "files, encoder first (latent)",
    )  # fmt: skip
    parser.add_argument(
        "--unet", metavar="DIR",
        help="start from this denoiser of the latents of --vae, such as that of SD-Turbo: a folder in "
        "diffusers' format (latent)",
    )  # fmt: skip
    parser.add_argument(
        "--freeze-unet",
        action="store_true",
        help="keep the weights of --unet; only what is around them learns",
    )


def _add_export(parser: argparse.ArgumentParser) -> None:
    add_export(parser, "painter")
    parser.add_argument(
        "--pairs", metavar="PAIRS",
        help="the pairs it was trained on: scores and gate from the views held back in them",
    )  # fmt: skip


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", metavar="WEIGHTS", help="tiny, small, base, or a folder of weights")
    add_unseen_scenes(parser)
    parser.add_argument(
        "--cameras", metavar="DIR",
        help="folder with SCENE.json, the views to judge from (default: sampled views)",
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


ACTIONS: Actions = {
    "make-pairs": ("render clean and damaged pictures of scenes, to learn from", _add_make_pairs),
    "train": ("train a network on pairs", _add_train),
    "export": ("turn a checkpoint into weights that 'exgs render --restore' takes", _add_export),
    "evaluate": ("measure what weights are worth on scenes that they never saw", _add_evaluate),
}
"""The commands of the group; each is run by ``painter_NAME`` beside this module."""

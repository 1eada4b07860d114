"""``exgs painter train``: a network, from pairs."""

from __future__ import annotations

import argparse
import shlex
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.folders import try_nearest
from exgs.cli.painter import USUAL_CROP
from exgs.cli.run_folder import CHECKPOINT, begin, check_folder, need
from exgs.cli.terminal import Reporter
from exgs.cli.training_run import Run, command
from exgs.painter.errors import PainterError
from exgs.painter.planes import MULTIPLE
from exgs.painter.shards import PAIRS, Pairs, read_pairs
from exgs.painter.shelf import Weights, open_weights

if TYPE_CHECKING:
    from exgs.painter.networks import Painter
    from exgs.painter.training import StepReport, Training, TrainSettings

USUAL_SIZE = "tiny"
"""Where neither ``--size`` nor ``--weights`` says otherwise."""
REPORT_STEPS = 100
"""Steps between lines of the log."""
WITH_AUTOENCODER = "latent"
"""The size that works among latents."""


def run(args: argparse.Namespace) -> int:
    """Trains until the time or the steps are over; the checkpoint can be exported at any time."""
    _check_flags(args)
    out = Path(args.out)
    check_folder(args, out)
    weights = open_weights(args.weights) if args.weights else None
    _check_crop(args, PAIRS.read_index(Path(args.pairs)).get("size_px"))
    for path in [*(args.vae or []), *([args.unet] if args.unet else [])]:
        if not Path(path).exists():
            raise CommandError(f"{path}: there is no such file or folder")
    need("torch", *_needed(args))
    _check_growth(args, weights)
    try_nearest(out)
    import torch

    if args.threads:
        torch.set_num_threads(args.threads)
    with Reporter(quiet=args.quiet) as reporter:
        with reporter.phase("read"):
            pairs = read_pairs(Path(args.pairs))
        training = _start(args, weights, pairs, out)
        begin(out, _commands(args, weights), resume=args.resume)
        with reporter.phase("train") as progress:
            judge = partial(_judge, pairs=pairs)
            Run(args, training, every=REPORT_STEPS, total=_total, judge=judge).go(progress.update)
    return 0


def _needed(args: argparse.Namespace) -> list[str]:
    """Modules that are needed beside torch."""
    if args.unet:
        return ["diffusers", "safetensors"]
    return ["safetensors"] if args.weights else []


def _start(args: argparse.Namespace, weights: Weights | None, pairs: list[Pairs], out: Path) -> Training:
    import torch

    from exgs.painter.crops import Crops
    from exgs.painter.growth import grown
    from exgs.painter.networks import build
    from exgs.painter.training import Training
    from exgs.weights.tensors import load

    settings = _settings(args) if weights is None else _tuning(args, weights)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    training = Training(settings, Crops(pairs, size_px=settings.size_px), device=device)
    if args.resume:
        training.resume(out / CHECKPOINT)
    elif weights is not None:
        network = load(weights, build, PainterError)
        if args.size:
            known = weights.manifest.document["architecture"]
            network = grown(known, network, settings.architecture, seed=settings.seed)
        training.use_network(network)
    elif args.vae:
        training.use_autoencoder(*(Path(path) for path in args.vae))
        if args.unet:
            training.use_denoiser(Path(args.unet))
    return training


def _settings(args: argparse.Namespace) -> TrainSettings:
    from exgs.painter.autoencoder import read_autoencoder
    from exgs.painter.networks import ARCHITECTURES
    from exgs.painter.training import TrainSettings

    architecture = dict(ARCHITECTURES[args.size or USUAL_SIZE])
    if args.vae:
        shape = read_autoencoder(*(Path(path) for path in args.vae)).shape
        architecture |= shape | {"train_vae": False}
    if args.unet:
        from exgs.painter.diffusers_folder import check_denoiser, check_files, describe_denoiser

        described = describe_denoiser(Path(args.unet))
        check_denoiser(described, architecture["channels"])
        check_files(Path(args.unet), described)
        del architecture["unet_widths"]
        architecture |= {"kind": "foreign", "unet": described}
        architecture |= {"train_unet": not args.freeze_unet}
    return TrainSettings(architecture, **_said(args))


def _tuning(args: argparse.Namespace, weights: Weights) -> TrainSettings:
    """How weights are trained on: as what they are or as what grows of them, in smaller steps."""
    from exgs.painter.networks import ARCHITECTURES
    from exgs.painter.training import TUNING_RATE, TrainSettings

    document = weights.manifest.document
    architecture = dict(ARCHITECTURES[args.size] if args.size else document["architecture"])
    scenes = document.get("scenes")
    learnt_from = _texts(scenes.get("train")) if isinstance(scenes, dict) else ()
    return TrainSettings(architecture, rate=TUNING_RATE, learnt_from=learnt_from, **_said(args))


def _texts(told: object) -> tuple[str, ...]:
    """What a manifest lists; nothing where that is no list."""
    return tuple(map(str, told)) if isinstance(told, list) else ()


def _said(args: argparse.Namespace) -> dict[str, Any]:
    """The settings that the command line names."""
    named = {"batch": args.batch, "size_px": args.crop, "seed": args.seed}
    return {name: value for name, value in named.items() if value is not None}


def _check_flags(args: argparse.Namespace) -> None:
    """Refuses what makes no sense together."""
    for name in ("vae", "unet"):
        if getattr(args, name) and args.weights:
            raise UsageError(f"--{name}: not with --weights, which hold all of their network")
        if getattr(args, name) and args.size != WITH_AUTOENCODER:
            size = args.size or USUAL_SIZE
            raise UsageError(f"--{name}: {size} has no autoencoder; choose --size {WITH_AUTOENCODER}")
    if args.vae and len(args.vae) > 2:
        raise UsageError("--vae: expected a folder, or two .pth files")
    if args.unet and not args.vae:
        raise UsageError("--unet: name the autoencoder of the latents that it knows, too, with --vae")
    if args.freeze_unet and not args.unet:
        raise UsageError("--freeze-unet: only with --unet")
    if args.crop is not None and args.crop % MULTIPLE:
        raise UsageError(f"--crop {args.crop}: expected a multiple of {MULTIPLE}")


def _check_growth(args: argparse.Namespace, weights: Weights | None) -> None:
    """Refuses a size that cannot begin as the weights that were named."""
    if weights is None or not args.size:
        return
    from exgs.painter.growth import check_growth
    from exgs.painter.networks import ARCHITECTURES

    try:
        check_growth(weights.manifest.document.get("architecture"), ARCHITECTURES[args.size])
    except PainterError as error:
        raise UsageError(f"--size {args.size} does not grow of {args.weights}: {error}") from error


def _check_crop(args: argparse.Namespace, size_px: object) -> None:
    """Refuses crops that are larger than the pictures, whose index says ``size_px``."""
    crop = args.crop or USUAL_CROP
    if isinstance(size_px, int) and size_px < crop:
        asked = f"--crop {crop}" if args.crop else f"crops of {crop}, where --crop says nothing"
        raise UsageError(f"{asked}: the pictures of {args.pairs} have {size_px} pixels a side")


def _commands(args: argparse.Namespace, weights: Weights | None) -> str:
    """The command as it could be called again: what was said, and nothing that is the default; before it
    those that the weights come from which it begins with."""
    begins = weights if not args.resume else None
    before = _texts(begins.manifest.document.get("command")) if begins is not None else ()
    start = ["--weights", args.weights] if args.weights else []
    start += ["--size", args.size or USUAL_SIZE] if args.size or not args.weights else []
    names = ("minutes", "steps", "threads", "batch", "crop", "seed")
    words = command(args, "painter", [args.pairs], start, names)
    words += ["--vae", *args.vae] if args.vae else []
    words += ["--unet", args.unet] if args.unet else []
    words += ["--freeze-unet"] if args.freeze_unet else []
    return "\n".join([*before, shlex.join(words)])


def _total(reports: Sequence[StepReport]) -> tuple[dict[str, Any], str]:
    """Mean loss, and mean gain."""
    loss, gain = (
        sum(getattr(report, name) for report in reports) / len(reports) for name in ("loss", "gain")
    )
    return {"loss": loss, "gain": gain}, f"gain {gain:+.3f}"


def _judge(network: Painter, *, pairs: list[Pairs]) -> tuple[dict[str, Any], list[list[np.ndarray]]]:
    """The scores on the pairs held back, and samples of them."""
    from exgs.painter.validation import samples, validate

    scores = {kind: asdict(gain) for kind, gain in validate(network, pairs).items()}
    return scores, samples(network, pairs)

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
from exgs.cli.painter import USUAL_CROP
from exgs.cli.run_folder import CHECKPOINT, begin, check_folder, need
from exgs.cli.terminal import Reporter
from exgs.cli.training_run import Run, command
from exgs.painter.planes import MULTIPLE
from exgs.painter.shards import PAIRS, Pairs, read_pairs

if TYPE_CHECKING:
    from exgs.painter.networks import Painter
    from exgs.painter.training import StepReport, Training, TrainSettings

REPORT_STEPS = 100
"""Steps between lines of the log."""
WITH_AUTOENCODER = ("base",)
"""The sizes that work among latents."""


def run(args: argparse.Namespace) -> int:
    """Trains until the time or the steps are over; the checkpoint can be exported at any time."""
    _check_flags(args)
    out = Path(args.out)
    check_folder(args, out)
    _check_crop(args, PAIRS.read_index(Path(args.pairs)).get("size_px"))
    for path in [*(args.vae or []), *([args.unet] if args.unet else [])]:
        if not Path(path).exists():
            raise CommandError(f"{path}: there is no such file or folder")
    need("torch", *(["diffusers", "safetensors"] if args.unet else []))
    import torch

    if args.threads:
        torch.set_num_threads(args.threads)
    begin(out, _command(args), resume=args.resume)
    with Reporter(quiet=args.quiet) as reporter:
        with reporter.phase("read"):
            pairs = read_pairs(Path(args.pairs))
        training = _start(args, pairs, out)
        with reporter.phase("train") as progress:
            judge = partial(_judge, pairs=pairs)
            Run(args, training, every=REPORT_STEPS, total=_total, judge=judge).go(progress.update)
    return 0


def _start(args: argparse.Namespace, pairs: list[Pairs], out: Path) -> Training:
    import torch

    from exgs.painter.crops import Crops
    from exgs.painter.training import Training

    settings = _settings(args)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    training = Training(settings, Crops(pairs, size_px=settings.size_px), device=device)
    if args.resume:
        training.resume(out / CHECKPOINT)
    elif args.vae:
        training.use_autoencoder(*(Path(path) for path in args.vae))
        if args.unet:
            training.use_denoiser(Path(args.unet))
    return training


def _settings(args: argparse.Namespace) -> TrainSettings:
    from exgs.painter.autoencoder import read_autoencoder
    from exgs.painter.networks import ARCHITECTURES
    from exgs.painter.training import TrainSettings

    architecture = dict(ARCHITECTURES[args.size])
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
    named = {"batch": args.batch, "size_px": args.crop}
    given = {name: value for name, value in named.items() if value is not None}
    return TrainSettings(architecture, seed=args.seed, **given)


def _check_flags(args: argparse.Namespace) -> None:
    """Refuses what makes no sense together."""
    for name in ("vae", "unet"):
        if getattr(args, name) and args.size not in WITH_AUTOENCODER:
            sizes = " or ".join(WITH_AUTOENCODER)
            raise UsageError(f"--{name}: {args.size} has no autoencoder; choose --size {sizes}")
    if args.vae and len(args.vae) > 2:
        raise UsageError("--vae: expected a folder, or two .pth files")
    if args.unet and not args.vae:
        raise UsageError("--unet: name the autoencoder of the latents that it knows, too, with --vae")
    if args.freeze_unet and not args.unet:
        raise UsageError("--freeze-unet: only with --unet")
    if args.crop is not None and args.crop % MULTIPLE:
        raise UsageError(f"--crop {args.crop}: expected a multiple of {MULTIPLE}")


def _check_crop(args: argparse.Namespace, size_px: object) -> None:
    """Refuses crops that are larger than the pictures, whose index says ``size_px``."""
    crop = args.crop or USUAL_CROP
    if isinstance(size_px, int) and size_px < crop:
        asked = f"--crop {crop}" if args.crop else f"crops of {crop}, where --crop says nothing"
        raise UsageError(f"{asked}: the pictures of {args.pairs} have {size_px} pixels a side")


def _command(args: argparse.Namespace) -> str:
    """The command as it could be called again: what was said, and nothing that is the default."""
    words = command(args, "painter", [args.pairs], ("minutes", "steps", "threads", "batch", "crop", "seed"))
    words += ["--vae", *args.vae] if args.vae else []
    words += ["--unet", args.unet] if args.unet else []
    return shlex.join([*words, *(["--freeze-unet"] if args.freeze_unet else [])])


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

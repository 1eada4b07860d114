"""``exgs painter train``: a network, from pairs."""

from __future__ import annotations

import argparse
import json
import shlex
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.painter import MINUTES
from exgs.cli.run_folder import CHECKPOINT, LOG, SHEET, begin, check_folder, need
from exgs.cli.terminal import Reporter
from exgs.painter.planes import MULTIPLE
from exgs.painter.shards import PAIRS, Pairs, read_pairs

if TYPE_CHECKING:
    from exgs.painter.training import Training, TrainSettings

REPORT_STEPS = 100
"""Steps between lines of the log."""
WITH_AUTOENCODER = ("base",)
"""The sizes that work among latents."""


def run(args: argparse.Namespace) -> int:
    """Trains until the time or the steps are over; the checkpoint can be exported at any time."""
    _check_flags(args)
    out = Path(args.out)
    check_folder(args, out)
    PAIRS.read_index(Path(args.pairs))
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
            _Run(args, training, pairs, out).go(progress.update)
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
    if args.crop is not None and (args.crop % MULTIPLE or args.crop < 2 * MULTIPLE):
        raise UsageError(f"--crop {args.crop}: expected a multiple of {MULTIPLE}, at least {2 * MULTIPLE}")


def _command(args: argparse.Namespace) -> str:
    """The command as it could be called again: what was said, and nothing that is the default."""
    words = ["exgs", "painter", "train", args.pairs, args.out, "--size", args.size]
    for name in ("minutes", "steps", "threads", "batch", "crop", "seed"):
        value = getattr(args, name)
        words += [f"--{name}", f"{value:g}"] if value else []
    words += ["--vae", *args.vae] if args.vae else []
    words += ["--unet", args.unet] if args.unet else []
    words += ["--freeze-unet"] if args.freeze_unet else []
    return shlex.join([*words, *(["--resume"] if args.resume else [])])


class _Run:
    """One call of the command: steps, and from time to time a checkpoint, scores and a sheet."""

    def __init__(self, args: argparse.Namespace, training: Training, pairs: list[Pairs], out: Path) -> None:
        self._steps, self._seconds = args.steps, 60 * (args.minutes or MINUTES)
        self._every_s = 60 * args.checkpoint_minutes
        self._training, self._pairs, self._out = training, pairs, out
        self._began_at, self._began_s = training.progress, time.monotonic()

    def go(self, tell: Callable[[float, str], None]) -> None:
        """Trains to the end."""
        training, kept_s, losses = self._training, time.monotonic(), []
        gains: list[float] = []
        while (share := self._progress()) < 1:
            report = training.advance(share)
            losses.append(report.loss)
            gains.append(report.gain)
            if report.step % REPORT_STEPS == 0:
                gain = sum(gains) / len(gains)
                self._log({"loss": sum(losses) / len(losses), "gain": gain})
                tell(share, f"step {report.step}, gain {gain:+.3f}")
                losses, gains = [], []
            if time.monotonic() - kept_s > self._every_s:
                self._keep()
                kept_s = time.monotonic()
        training.progress = 1.0
        self._keep()

    def _progress(self) -> float:
        """Share of the training that is over; a resumed one fills the time with what was left to do."""
        if self._steps:
            return self._training.step / self._steps
        spent = (time.monotonic() - self._began_s) / self._seconds
        return self._began_at + (1 - self._began_at) * spent if self._began_at < 1 else spent

    def _keep(self) -> None:
        from exgs.cli.pictures import write_sheet
        from exgs.painter.validation import samples, validate

        self._training.save(self._out / CHECKPOINT)
        scores = validate(self._training.average, self._pairs)
        self._log({"scores": {kind: asdict(gain) for kind, gain in scores.items()}})
        write_sheet(self._out / SHEET, samples(self._training.average, self._pairs))

    def _log(self, facts: dict[str, Any]) -> None:
        line = {
            "step": self._training.step,
            "progress": round(self._training.progress, 4),
            "seconds": round(time.monotonic() - self._began_s, 1),
        }
        with (self._out / LOG).open("a", encoding="utf-8") as log:
            log.write(json.dumps(line | facts) + "\n")

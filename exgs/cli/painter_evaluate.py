"""``exgs painter evaluate``: what weights are worth on scenes that they never saw."""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from exgs.cli.errors import CommandError
from exgs.cli.painter_make_pairs import INTERIOR_SPLATS, encoding
from exgs.cli.paths import check_output
from exgs.cli.pictures import write_sheet
from exgs.cli.scenes import check_scenes, scenes
from exgs.cli.terminal import Reporter
from exgs.painter import choose_restorer
from exgs.painter.damage import Damage, damaged, parse_damage
from exgs.painter.evaluation import Sight, evaluate
from exgs.painter.gains import Gain
from exgs.painter.shelf import open_weights
from exgs.scene import Camera, Gaussians, read_cameras, read_scene, sample_views, to_frame, write_scene
from exgs.training.layout import kind_of

DAMAGES = ("ugc-107", "ugc-200", "ugc-20", "exgs-107", "exgs-200", "source")
VIEWS, SEED, SIZE = 24, 777, (640, 360)
"""Of scenes without a file of cameras."""
DECIMATED = (2.0, 5.0)
"""Per cent of its splats that the foreign program leaves."""
TIMEOUT_S = 900.0
ON_SHEET = ("exgs-107", "ugc-107")
"""What the sheet shows, one row for each scene."""


def run(args: argparse.Namespace) -> int:
    """Compares source, decoded and restored pictures of every scene, damage by damage."""
    sources = scenes(args.scenes, args.generated, INTERIOR_SPLATS)
    sheet = check_output(args.sheet, overwrite=args.overwrite, suffixes=(".png",)) if args.sheet else None
    damages = [parse_damage(name) for name in args.damage or DAMAGES]
    _check_inputs(args)
    restorer = choose_restorer(args.weights)
    found: dict[str, dict[str, Gain]] = {}
    rows: list[list[np.ndarray]] = []
    with Reporter(quiet=args.quiet or args.json) as reporter, encoding(args, reporter) as (rasterizer, make):
        for name, load in sources:
            with reporter.phase(name):
                gaussians = load()

                def show(damage: str, view: int, sight: Sight) -> None:
                    if damage in ON_SHEET and view == 0:
                        mask = np.repeat(sight.alpha[..., None], 3, axis=2)
                        rows.append([sight.source, sight.damaged, sight.restored, mask])

                copies = _copies(gaussians, damages, make, args.splat_transform)
                found[name] = evaluate(
                    gaussians, copies, _cameras(args, name, gaussians),
                    restorer=restorer, rasterizer=rasterizer, show=show,
                )  # fmt: skip
    if sheet is not None and rows:
        write_sheet(sheet, rows)
    report = {"weights": restorer.name, "kinds": _report(by_kind(found)), "scenes": _report(found)}
    print(json.dumps(report, indent=1) if args.json else "\n".join(lines(by_kind(found))))
    return 0


def _check_inputs(args: argparse.Namespace) -> None:
    """Tells at once of what is not there."""
    if args.weights not in ("off", "auto"):
        open_weights(args.weights)
    check_scenes(args.scenes)
    if args.cameras and not Path(args.cameras).is_dir():
        raise CommandError(f"{args.cameras}: there is no such folder of cameras")
    if args.splat_transform and shutil.which(args.splat_transform) is None:
        raise CommandError(f"{args.splat_transform}: not found; npm install @playcanvas/splat-transform")


def by_kind(found: dict[str, dict[str, Gain]]) -> dict[str, dict[str, Gain]]:
    """Means over scenes, objects and interiors apart."""
    kinds: dict[str, dict[str, list[Gain]]] = {}
    for scene, gains in found.items():
        for damage, gain in gains.items():
            kinds.setdefault(kind_of(scene), {}).setdefault(damage, []).append(gain)
    return {
        kind: {damage: mean(gains) for damage, gains in damages.items()} for kind, damages in kinds.items()
    }


def mean(gains: Sequence[Gain]) -> Gain:
    """The mean over scenes, each counting the same."""
    columns = [asdict(gain) for gain in gains]
    values = {
        name: float(np.mean([column[name] for column in columns]))
        for name in columns[0]
        if name != "pictures"
    }
    return Gain(pictures=sum(gain.pictures for gain in gains), **values)


def lines(kinds: dict[str, dict[str, Gain]]) -> Iterator[str]:
    """The table for a person."""
    yield f"{'':<28}{'PSNR dB':>20}{'SSIM':>22}{'FLIP':>24}"
    for kind, gains in kinds.items():
        for damage, gain in gains.items():
            yield (
                f"{kind + ' ' + damage:<28}"
                f"{gain.psnr_before:7.2f} -> {gain.psnr_after:5.2f} {gain.psnr:+5.2f}"
                f"{gain.ssim_before:8.4f} -> {gain.ssim_after:6.4f}"
                f"{gain.flip_before:9.4f} -> {gain.flip_after:6.4f} {-100 * gain.flip:+6.1f} %"
            )


def _report(found: dict[str, dict[str, Gain]]) -> dict[str, dict[str, Any]]:
    return {
        name: {
            damage: {key: round(value, 4) for key, value in asdict(gain).items()}
            for damage, gain in gains.items()
        }
        for name, gains in found.items()
    }


def _cameras(args: argparse.Namespace, scene: str, gaussians: Gaussians) -> list[Camera]:
    """The views to judge from: those of the scene's file, or sampled ones."""
    path = Path(args.cameras) / f"{scene}.json" if args.cameras else None
    if path is not None and path.is_file():
        cameras = read_cameras(path)
    else:
        cameras = sample_views(gaussians, VIEWS, seed=SEED, size=SIZE)
    step = max(1, len(cameras) // args.views) if args.views else 1
    return cameras[::step][: args.views]


def _copies(
    gaussians: Gaussians, damages: Sequence[Damage], make: Any, program: str | None
) -> Iterator[tuple[str, Gaussians]]:
    """Every damaged copy with its name, those of the foreign program last."""
    for damage, scene in damaged(gaussians, damages, make=make):
        yield damage.name, scene
    if program is None:
        return
    with tempfile.TemporaryDirectory(prefix="exgs-") as folder:
        source = Path(folder) / "source.ply"
        write_scene(source, gaussians)
        for percent in DECIMATED:
            yield f"decimate-{percent:g}%", to_frame(_decimated(program, source, percent), gaussians.frame)


def _decimated(program: str, source: Path, percent: float) -> Gaussians:
    """What splat-transform leaves of the scene."""
    target = source.with_name(f"decimated-{percent:g}.ply")
    command = [program, "-g", "cpu", "-w", "-q", str(source), "--decimate", f"{percent:g}%", str(target)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CommandError(f"{program}: {str(error)[:200]}") from error
    if done.returncode or not target.exists():
        words = (done.stderr or done.stdout).strip().splitlines()
        raise CommandError(f"{program}: {words[-1][:200] if words else 'failed without a word'}")
    return read_scene(target)

"""``exgs painter make-pairs``: clean and damaged pictures of scenes, to learn from."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from exgs.cli.errors import UsageError
from exgs.cli.folders import make_folder
from exgs.cli.painter import USUAL_CROP
from exgs.cli.rasterising import rasterizer_for
from exgs.cli.scenes import check_scenes, scenes
from exgs.cli.terminal import Reporter, size
from exgs.painter.damage import DAMAGES, Encoder, encoder, parse_damage
from exgs.painter.pairs import PairSettings, make_pairs
from exgs.painter.shards import PAIRS, write_shard
from exgs.raster import Rasterizer

INTERIOR_SPLATS = (118_000, *range(62_000, 118_000, 7_000))
"""Splats of the generated interiors, in turn."""


def run(args: argparse.Namespace) -> int:
    """Makes the pairs of one scene after the other."""
    seeds = range(args.first_interior, args.first_interior + args.generated)
    sources = scenes(args.scenes, seeds, INTERIOR_SPLATS)
    settings = _settings(args)
    damages = [parse_damage(name) for name in settings.damages]
    out = Path(args.out)
    if (out / PAIRS.index).exists() and not args.overwrite:
        raise UsageError(f"{out} holds pairs already; -w replaces them")
    check_scenes(args.scenes)
    make_folder(out)
    with Reporter(quiet=args.quiet) as reporter, encoding(args, reporter) as (rasterizer, make):
        _warn(settings, reporter)
        for name, load in sources:
            with reporter.phase(name) as progress:
                pairs = make_pairs(
                    name,
                    load(),
                    damages,
                    settings,
                    rasterizer=rasterizer,
                    make=make,
                    progress=progress.update,
                )
                path = write_shard(out, pairs)
                progress.update(1.0, f"{len(pairs)} pairs, {size(path.stat().st_size)}")
    facts = {"seed": settings.seed, "size_px": settings.size_px, "damages": list(settings.damages)}
    PAIRS.write_index(out, facts, [name for name, _ in sources])
    return 0


def _warn(settings: PairSettings, reporter: Reporter) -> None:
    """Tells now what training would say of small pictures."""
    if settings.size_px < USUAL_CROP:
        reporter.say(
            f"note: pictures of {settings.size_px} pixels: 'exgs painter train' cuts crops of {USUAL_CROP} "
            f"from them unless its --crop says less"
        )


@contextmanager
def encoding(args: argparse.Namespace, reporter: Reporter) -> Iterator[tuple[Rasterizer, Encoder]]:
    """The rasteriser, and what makes files; analyses live as long as the command."""
    from exgs.cli.encode import cache_at

    rasterizer = rasterizer_for(args.backend, reporter)
    keep = Path(args.encodings) if args.encodings else None
    with tempfile.TemporaryDirectory(prefix="exgs-") as folder:
        yield rasterizer, encoder(rasterizer, keep=keep, cache=cache_at(folder, reporter))


def _settings(args: argparse.Namespace) -> PairSettings:
    named = {"views": args.views, "pairs_per_view": args.pairs_per_view, "size_px": args.size}
    given = {name: value for name, value in named.items() if value is not None}
    return PairSettings(seed=args.seed, damages=tuple(args.damage or DAMAGES), **given)

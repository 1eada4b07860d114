"""``exgs feedforward make-views``: pictures, cameras and depths from walks through scenes."""

from __future__ import annotations

import argparse
from pathlib import Path

from exgs.cli.errors import UsageError
from exgs.cli.folders import make_folder
from exgs.cli.rasterising import rasterizer_for
from exgs.cli.scenes import check_scenes, scenes
from exgs.cli.terminal import Reporter, size
from exgs.feedforward.sampling import SHORTEST_WALK
from exgs.feedforward.sets import SETS, SetSettings, make_view_set, write_view_set

INTERIOR_SPLATS = (80_000, 110_000, 140_000)
"""Splats of the generated interiors, in turn."""


def run(args: argparse.Namespace) -> int:
    """Takes the pictures of one scene after the other."""
    seeds = range(args.first_interior, args.first_interior + args.generated)
    sources = scenes(args.scenes, seeds, INTERIOR_SPLATS)
    named = {"views": args.views, "walk": args.walk, "size": args.size}
    given = {name: value for name, value in named.items() if value is not None}
    settings = SetSettings(seed=args.seed, **given)
    out = _folder(args)
    with Reporter(quiet=args.quiet) as reporter:
        _warn(settings, reporter)
        rasterizer = rasterizer_for(args.backend, reporter)
        for name, load in sources:
            with reporter.phase(name) as progress:
                views = make_view_set(name, load(), settings, rasterizer=rasterizer, progress=progress.update)
                path = write_view_set(out, views)
                progress.update(1.0, f"{len(views)} views, {size(path.stat().st_size)}")
    facts = {"seed": settings.seed, "size_px": list(settings.size), "walk": settings.walk}
    SETS.write_index(out, facts, [name for name, _ in sources])
    return 0


def _warn(settings: SetSettings, reporter: Reporter) -> None:
    """Tells now what training would say of short walks; to reconstruct from, they may do."""
    shortest = settings.views % settings.walk or settings.walk
    if shortest < SHORTEST_WALK:
        reporter.say(
            f"note: {settings.views} views in walks of {settings.walk}, one of them of {shortest}: "
            f"'exgs feedforward train' takes no walk of less than {SHORTEST_WALK}"
        )


def _folder(args: argparse.Namespace) -> Path:
    folder = Path(args.out)
    if (folder / SETS.index).exists() and not args.overwrite:
        raise UsageError(f"{folder} holds view sets already; -w replaces them")
    check_scenes(args.scenes)
    return make_folder(folder)

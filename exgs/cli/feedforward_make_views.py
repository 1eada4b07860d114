"""``exgs feedforward make-views``: pictures, cameras and depths from walks through scenes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from exgs.cli.errors import UsageError
from exgs.cli.files import read_any
from exgs.cli.painter_make_pairs import scene_name
from exgs.cli.rasterising import rasterizer_for
from exgs.cli.terminal import Reporter, size
from exgs.feedforward.sets import SETS, SetSettings, make_view_set, write_view_set
from exgs.scene import Gaussians, generate_interior

INTERIOR_SPLATS = (80_000, 110_000, 140_000)
"""Splats of the generated interiors, in turn."""
Source = tuple[str, Callable[[], Gaussians]]
"""A scene's name, and what reads or makes it."""


def run(args: argparse.Namespace) -> int:
    """Takes the pictures of one scene after the other."""
    sources = scenes(args.scenes, range(args.first_interior, args.first_interior + args.generated))
    if not sources:
        raise UsageError("no scenes: name some with --scenes, or ask for interiors with --generated")
    named = {"views": args.views, "walk": args.walk, "size": args.size}
    given = {name: value for name, value in named.items() if value is not None}
    settings = SetSettings(seed=args.seed, **given)
    out = _folder(args)
    with Reporter(quiet=args.quiet) as reporter:
        rasterizer = rasterizer_for(args.backend, reporter)
        for name, load in sources:
            with reporter.phase(name) as progress:
                views = make_view_set(name, load(), settings, rasterizer=rasterizer, progress=progress.update)
                path = write_view_set(out, views)
                progress.update(1.0, f"{len(views)} views, {size(path.stat().st_size)}")
    facts = {"seed": settings.seed, "size_px": list(settings.size), "walk": settings.walk}
    SETS.write_index(out, facts, [name for name, _ in sources])
    return 0


def scenes(paths: Iterable[str], seeds: Iterable[int]) -> list[Source]:
    """The scenes named on the command line, and interiors of ``seeds``.

    Raises:
        UsageError: two would have one name.
    """
    found: list[Source] = [(scene_name(path), partial(read_any, path, drop=True)) for path in paths]
    for seed in seeds:
        count = INTERIOR_SPLATS[seed % len(INTERIOR_SPLATS)]
        found.append((f"interior-{seed}", partial(generate_interior, seed=seed, count=count)))
    names = [name for name, _ in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(f"two scenes are called {', '.join(sorted(twice))}")
    return found


def _folder(args: argparse.Namespace) -> Path:
    folder = Path(args.out)
    if (folder / SETS.index).exists() and not args.overwrite:
        raise UsageError(f"{folder} holds view sets already; -w replaces them")
    folder.mkdir(parents=True, exist_ok=True)
    return folder

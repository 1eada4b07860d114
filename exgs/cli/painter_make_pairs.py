"""``exgs painter make-pairs``: clean and damaged pictures of scenes, to learn from."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.files import read_any
from exgs.cli.rasterising import rasterizer_for
from exgs.cli.terminal import Reporter, size
from exgs.painter.damage import DAMAGES, Encoder, encoder, parse_damage
from exgs.painter.pairs import PairSettings, make_pairs
from exgs.painter.shards import PAIRS, write_shard
from exgs.raster import Rasterizer
from exgs.scene import Gaussians, generate_interior

INTERIOR_SPLATS = range(62_000, 120_000, 7_000)
"""Splats of the generated interiors, in turn."""
Source = tuple[str, Callable[[], Gaussians]]
"""A scene's name, and what reads or makes it."""


def run(args: argparse.Namespace) -> int:
    """Makes the pairs of one scene after the other."""
    sources = scenes(args.scenes, range(args.first_interior, args.first_interior + args.generated))
    if not sources:
        raise UsageError("no scenes: name some with --scenes, or ask for interiors with --generated")
    settings = _settings(args)
    damages = [parse_damage(name) for name in settings.damages]
    out = Path(args.out)
    if (out / PAIRS.index).exists() and not args.overwrite:
        raise UsageError(f"{out} holds pairs already; -w replaces them")
    check_scenes(args.scenes)
    out.mkdir(parents=True, exist_ok=True)
    with Reporter(quiet=args.quiet) as reporter, encoding(args, reporter) as (rasterizer, make):
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


def scenes(paths: list[str], seeds: range | list[int]) -> list[Source]:
    """The scenes named on the command line, and interiors of ``seeds``.

    Raises:
        UsageError: two would have one name.
    """
    found: list[Source] = [(scene_name(path), partial(read_any, path, drop=True)) for path in paths]
    for seed in seeds:
        count = INTERIOR_SPLATS[(seed - 1) % len(INTERIOR_SPLATS)]
        found.append((f"interior-{seed}", partial(generate_interior, seed=seed, count=count)))
    names = [name for name, _ in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(f"two scenes are called {', '.join(sorted(twice))}")
    return found


def check_scenes(paths: list[str]) -> None:
    """Tells at once of a scene that is not there, and not when its turn comes.

    Raises:
        CommandError: one is missing.
    """
    for path in paths:
        if not (Path(path).exists() or Path(path.rpartition("@")[0] or path).exists()):
            raise CommandError(f"{path}: there is no such file")


def scene_name(path: str) -> str:
    """What a scene is called: its file's name up to the first dot, or that of its folder."""
    file = Path(path.rpartition("@")[0] or path)
    named = file.parent if file.name.startswith("lod-meta") else file
    return named.name.partition(".")[0] or "scene"


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

"""The scenes that a command works through: files of any format, and generated interiors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from exgs.cli.errors import CommandError, UsageError
from exgs.cli.files import read_any
from exgs.scene import Gaussians, generate_interior

Source = tuple[str, Callable[[], Gaussians]]
"""A scene's name, and what reads or makes it."""


def scenes(paths: Iterable[str], seeds: Iterable[int], splats: Sequence[int]) -> list[Source]:
    """The scenes named on the command line, and interiors of ``seeds`` with ``splats`` Gaussians in turn.

    Raises:
        UsageError: there are none, or two would have one name.
    """
    found: list[Source] = [(scene_name(path), partial(read_any, path, drop=True)) for path in paths]
    for seed in seeds:
        count = splats[seed % len(splats)]
        found.append((f"interior-{seed}", partial(generate_interior, seed=seed, count=count)))
    if not found:
        raise UsageError("no scenes: name some with --scenes, or ask for interiors with --generated")
    names = [name for name, _ in found]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise UsageError(f"two scenes are called {', '.join(sorted(twice))}")
    return found


def check_scenes(paths: Iterable[str]) -> None:
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

"""``exgs encode``: a scene into a .ugc bitstream."""

from __future__ import annotations

import argparse
import json
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exgs.cli import arguments
from exgs.cli.encoded import doubt, facts, rows
from exgs.cli.encoding import SIZE_AND_EFFORT, add_effort, add_size, given
from exgs.cli.errors import CommandError, UsageError
from exgs.cli.folders import make_folder
from exgs.cli.paths import UGC_SUFFIX, check_output, find_inputs, is_ugc
from exgs.cli.terminal import PhaseProgress, Reporter, table
from exgs.codec import FEWEST_VIEWS, METHODS, MOST_LEVELS, MOST_VIEWS, STORAGES

if TYPE_CHECKING:
    from exgs.codec import AnalysisCache, EncodeConfig

NEEDS = ("exgs.cli.frames", "exgs.cli.rasterising", "exgs.codec.encoding.encoder")
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
USER = "user"
"""Stands for the user's own cache folder."""
METHOD_OF = {
    "no_refit": "ugc", "levels": "ugc", "sh_degree": "ugc", "cache": "ugc",
    "no_amplify": "exgs", "storage": "exgs",
}  # fmt: skip
"""Flags that one method alone knows."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs encode``."""
    parser.add_argument("input", metavar="SCENE", help="a scene in any readable format")
    parser.add_argument("output", metavar="OUT.ugc", help="the bitstream to write, or null for a dry run")
    add_size(parser)
    parser.add_argument(
        "--method", choices=METHODS, default="ugc",
        help="ugc merges and refits (default); exgs prunes as ExGS describes it, the baseline",
    )  # fmt: skip
    add_effort(parser)
    _add_views(parser)
    _add_methods(parser)
    arguments.add_axes(parser)
    parser.add_argument(
        "--metres-per-unit",
        type=arguments.positive_float,
        metavar="M",
        help="name the length of the source's unit",
    )
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def _add_views(parser: argparse.ArgumentParser) -> None:
    """Adds what says from where the scene is judged."""
    parser.add_argument("--cameras", metavar="FILE", help="views where viewers may be (default: sampled)")
    parser.add_argument(
        "--views",
        type=arguments.whole_between(FEWEST_VIEWS, MOST_VIEWS),
        metavar="N",
        help="how many views judge the scene (default: by effort and size, 48 to 256)",
    )
    parser.add_argument(
        "--seed", type=arguments.whole_number, default=0, help="of the sampled views (default: 0)"
    )


def _add_methods(parser: argparse.ArgumentParser) -> None:
    """Adds the flags that one method alone knows: ``METHOD_OF``."""
    parser.add_argument("--sh-degree", type=int, choices=range(4), help="keep at most this degree")
    parser.add_argument(
        "--levels", type=arguments.whole_between(1, MOST_LEVELS), metavar="N",
        help=f"most levels of detail, 1 to {MOST_LEVELS}",
    )  # fmt: skip
    parser.add_argument(
        "--no-refit", action="store_true",
        help="ugc: code what merging makes as it is, fitted to no picture: sooner done, and worse",
    )  # fmt: skip
    parser.add_argument("--no-amplify", action="store_true", help="exgs: do not enlarge what is kept")
    parser.add_argument(
        "--storage", choices=STORAGES,
        help="exgs: count 28 bytes a Gaussian as published (default), or the size of the coded file",
    )  # fmt: skip
    parser.add_argument(
        "--cache", metavar="DIR",
        help="keep what does not depend on the size in this folder, so that other sizes of the scene come in "
        f"seconds; '{USER}' names your cache folder. A file of another size takes over the fit of an earlier "
        "one, and its bytes depend on that (default: nothing is kept)",
    )  # fmt: skip


def check(args: argparse.Namespace) -> None:
    """Refuses flags that the method would ignore, and names where nothing can be read or written."""
    for name, method in METHOD_OF.items():
        said = getattr(args, name) is not None and getattr(args, name) is not False
        if said and args.method != method:
            raise UsageError(f"--{name.replace('_', '-')}: only with --method {method}")
    if is_ugc(args.input):
        raise UsageError(f"{args.input} is encoded already; encode its source, or decode it first")
    _target(args)
    find_inputs(args.input, args.cameras)


def run(args: argparse.Namespace) -> int:
    """Reads, encodes, writes and reports."""
    from exgs.cli.frames import named_frame
    from exgs.cli.rasterising import rasterizer_for
    from exgs.codec import encode
    from exgs.scene import read_cameras, read_scene
    from exgs.scene.formats.atomic import write_bytes

    target, config = _target(args), config_from(args)
    cameras = read_cameras(args.cameras) if args.cameras else None
    with Reporter(quiet=args.quiet or args.json) as reporter:
        cache, rasterizer = cache_at(args.cache, reporter), rasterizer_for(args.backend, reporter)
        with reporter.phase("read"):
            source = [named_frame(read_scene(args.input), args.axes, metres_per_unit=args.metres_per_unit)]
        with Phases(reporter) as phases:
            encoding = encode(
                source.pop(), config, rasterizer=rasterizer, cameras=cameras, progress=phases.follow,
                cache=cache,
            )  # fmt: skip
        if target is not None:
            with reporter.phase("write"):
                write_bytes(target, encoding.data)
    if not args.quiet and (aloud := doubt(encoding.report)):
        print(f"warning: {aloud}", file=sys.stderr)
    if args.json:
        print(json.dumps(facts(encoding.report, reporter.phases)))
    elif not args.quiet:
        print(table(rows(encoding.report, reporter.phases)))
    return 0


def _target(args: argparse.Namespace) -> Path | None:
    return check_output(args.output, overwrite=args.overwrite, suffixes=(UGC_SUFFIX,))


def config_from(args: argparse.Namespace) -> EncodeConfig:
    """The configuration that the flags ask for; what was not said keeps its default."""
    from exgs.codec import EncodeConfig

    return EncodeConfig(
        method=args.method, seed=args.seed, refit=not args.no_refit, amplify=not args.no_amplify,
        **given(args, *SIZE_AND_EFFORT, "views", "sh_degree", "levels", "storage"),
    )  # fmt: skip


def cache_at(name: str | None, reporter: Reporter) -> AnalysisCache | None:
    """The folder of analyses that ``--cache`` names; None where it was not given.

    Raises:
        UsageError: it is no folder.
        CommandError: it cannot be made, or takes no file.
    """
    from exgs.codec import AnalysisCache

    if name is None:
        return None
    try:
        folder = make_folder(user_cache() if name == USER else Path(name))
    except CommandError as error:
        raise CommandError(f"--cache: {error}") from error
    return AnalysisCache(folder, warn=reporter.warn)


def user_cache() -> Path:
    """Where this platform wants a program's caches of one user to be."""
    if sys.platform == "darwin":
        home = str(Path.home() / "Library" / "Caches")
    elif sys.platform == "win32":
        home = os.environ.get("LOCALAPPDATA", "")
    else:
        home = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if os.path.isabs(home) else Path.home() / ".cache") / "exgs" / "analyses"


class Phases:
    """Turns the encoder's progress into phases of a reporter. A context manager."""

    def __init__(self, reporter: Reporter) -> None:
        self._reporter = reporter
        self._name, self._begin = "", 0.0
        self._stack, self._listening = ExitStack(), ExitStack()
        self._progress: PhaseProgress | None = None
        self._told: set[str] = set()

    def __enter__(self) -> Phases:
        from exgs.raster.kernel import telling_of_compiling

        self._listening.enter_context(telling_of_compiling(self._compiles))
        return self

    def __exit__(self, *failure: Any) -> None:
        self._listening.close()
        self._stack.close()

    def follow(self, name: str, share: float) -> None:
        """The encoder is in phase ``name`` and has done ``share`` of its whole work."""
        if name != self._name:
            self._stack.close()
            self._progress = self._stack.enter_context(self._reporter.phase(name))
            self._name, self._begin = name, share
        elif self._progress is not None:
            self._progress.update((share - self._begin) / max(1.0 - self._begin, 1e-9))

    def _compiles(self) -> None:
        """The phase waits for the compiler: told once for each."""
        if self._name and self._name not in self._told:
            self._told.add(self._name)
            self._reporter.say(f"{self._name}: compiling (once for this installation)")

"""``exgs experiment``: plays a grid of sessions over emulated networks, and measures how good each was."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exgs.cli import arguments
from exgs.cli.errors import UsageError
from exgs.cli.folders import check_folder_name, make_folder
from exgs.cli.paths import find_inputs
from exgs.cli.terminal import Reporter, table
from exgs.version import __version__

if TYPE_CHECKING:
    from exgs.experiments.config import ExperimentConfig
    from exgs.experiments.records import Record

NEEDS = (
    "exgs.experiments.config_file", "exgs.experiments.engines", "exgs.experiments.material",
    "exgs.experiments.plan", "exgs.experiments.running",
)  # fmt: skip
"""Imported after ``check`` and before the work, while an interrupt ends the process at once."""
COPY = "experiment.toml"
LIBRARIES = ("numpy", "numba", "scipy", "aiortc")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs experiment``."""
    parser.add_argument("config", metavar="CONFIG.toml", help="the grid (docs/experiments.md has every key)")
    parser.add_argument(
        "--out", metavar="FOLDER", default="experiment-out",
        help="where results go (default: experiment-out); finished sessions there are not played again",
    )  # fmt: skip
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="print the grid and what it will take, see that its scenes can be opened, and stop",
    )
    parser.add_argument(
        "--real", action="store_true",
        help="real processes, sockets and time instead of virtual time",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=arguments.whole_between(1, arguments.MAX_THREADS), metavar="N",
        help="pictures that are judged at a time (default: one for each core)",
    )  # fmt: skip
    parser.add_argument("--again", action="store_true", help="play finished sessions again")
    parser.add_argument(
        "--cache", metavar="FOLDER", help="where encodings are kept (default: in your cache folder)"
    )
    arguments.add_backend(parser)
    arguments.add_overwrite(parser)
    arguments.add_quiet(parser)
    arguments.add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Refuses a configuration that is not there."""
    find_inputs(args.config)


def run(args: argparse.Namespace) -> int:
    """Plays, judges and reports; 1 where a session failed."""
    from exgs.experiments.config_file import read_config

    config = read_config(Path(args.config))
    if args.dry_run:
        print(_plan(args, config))
        return 0
    folder = _prepare(args)
    with Reporter(quiet=args.quiet or args.json) as reporter:
        records, rasterizer = _play(args, config, folder, reporter)
        outputs, document = _write(config, folder, records, _made_with(args, rasterizer), reporter)
    if args.json:
        print(json.dumps(document))
    elif not args.quiet:
        _report(records, document["comparisons"], outputs)
    failed = [record for record in records if record.note.startswith("failed")]
    if failed:
        print(f"exgs: {len(failed)} of {_count(len(records), 'session')} {failed[0].note}", file=sys.stderr)
    return 1 if failed else 0


def _plan(args: argparse.Namespace, config: ExperimentConfig) -> str:
    """The grid and what it will take; all files that it names are there and can be opened."""
    from exgs.experiments.material import check_scenes
    from exgs.experiments.plan import described, plan

    check_scenes(config.scenes)
    cost, grid = plan(config), described(config)
    if args.json:
        return json.dumps({"grid": grid, **asdict(cost)})
    minutes = max(cost.core_s / 60 / (args.jobs or os.cpu_count() or 1), 0.1)
    real = f"; at least {cost.session_s / 60:.1f} min with --real" if args.real else ""
    counts = {"session": cost.sessions, "judged frame": cost.frames, "encoding": cost.encodings}
    amount = ", ".join(_count(number, noun) for noun, number in counts.items())
    takes = f"about {minutes:.1f} min, and the encodings{real}"
    return table([*grid, ("in all", amount), ("takes", takes)])


def _prepare(args: argparse.Namespace) -> Path:
    """The folder for results, with a copy of the experiment in it."""
    from exgs.scene.formats.atomic import write_bytes

    folder, text = Path(args.out), Path(args.config).read_bytes()
    check_folder_name(folder)
    copy = folder / COPY
    if copy.exists() and copy.read_bytes() != text and not args.overwrite:
        raise UsageError(
            f"{folder} holds the results of another experiment; -w replaces them, --out names another folder"
        )
    if folder.exists() and not copy.exists() and any(folder.iterdir()) and not args.overwrite:
        raise UsageError(f"{folder} holds other files; -w writes among them, --out names another folder")
    make_folder(folder)
    if not copy.exists() or not copy.samefile(args.config):
        write_bytes(copy, text)
    return folder


def _play(
    args: argparse.Namespace, config: ExperimentConfig, folder: Path, reporter: Reporter
) -> tuple[list[Record], str]:
    """Every session, and the name of the rasteriser that drew them."""
    from exgs.cli.encode import user_cache
    from exgs.experiments.engines import engine
    from exgs.experiments.material import Workbench
    from exgs.experiments.plan import plan
    from exgs.experiments.records import Records
    from exgs.experiments.running import Experiment
    from exgs.raster import choose_rasterizer

    jobs = args.jobs or os.cpu_count() or 1
    cache = Path(args.cache) if args.cache else user_cache().parent / "experiments"
    everything = choose_rasterizer(args.backend, on_compile=reporter.say)
    single = choose_rasterizer(args.backend, threads=1)
    bench = Workbench(cache, everything, splat_transform=config.splat_transform, say=reporter.say)
    kept = Records(folder)
    if args.again:
        kept.clear()
    experiment = Experiment(
        config, bench, kept, engine=engine("real" if args.real else "virtual"), jobs=jobs, rasterizer=single
    )
    total, records = plan(config).sessions, []
    with reporter.phase("sessions") as progress:
        for record in experiment.run():
            records.append(record)
            progress.update(len(records) / total, f"{len(records)} of {total}")
            reporter.say(_line(record, len(records), total))
    return records, single.name


def _line(record: Record, number: int, total: int) -> str:
    """What came of a session."""
    from exgs.experiments.tables import seconds

    kept = " (played before)" if record.kept else ""
    where = " | ".join(str(value) for value in record.names.values() if value != "")
    if not record.summary:
        return f"{number}/{total}  {where}: {record.note}"
    row = record.summary
    first = seconds(row["first_frame_s"])
    return f"{number}/{total}  {where}: first frame {first}, mean PSNR {row['psnr_mean']:.2f} dB{kept}"


def _write(
    config: ExperimentConfig, folder: Path, records: Sequence[Record], made_with: dict[str, Any],
    reporter: Reporter,
) -> tuple[list[Path], dict[str, Any]]:  # fmt: skip
    """Tables and plots; their names, and the document that stands in the JSON file."""
    from exgs.experiments.comparing import comparisons, played
    from exgs.experiments.plots import missing_library, write_plots
    from exgs.experiments.tables import write_tables

    kinds = {system.name: system.kind for system in config.systems}
    document: dict[str, Any] = {
        "experiment": config.name, "made_with": made_with, "comparisons": comparisons(records, kinds)
    }  # fmt: skip
    outputs = write_tables(folder, records, document)
    problem = missing_library()
    if problem:
        reporter.say(problem)
    elif played(records):
        outputs += write_plots(folder, records, config.name)
    return outputs, {**document, "sessions": [record.row for record in records]}


def _made_with(args: argparse.Namespace, rasterizer: str) -> dict[str, Any]:
    """What somebody needs to make the same tables again."""
    from importlib.metadata import version

    from exgs.experiments.grid import code_checksum

    return {
        "exgs": __version__,
        "code": code_checksum(),
        "python": platform.python_version(),
        **{name: version(name) for name in LIBRARIES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "mode": "real" if args.real else "virtual",
        "rasterizer": rasterizer,
    }


def _report(
    records: Sequence[Record], comparisons: Sequence[dict[str, Any]], outputs: Sequence[Path]
) -> None:
    from exgs.experiments.comparing import overview, played
    from exgs.experiments.tables import aligned

    if played(records):
        print(aligned(overview(records)))
    for row in comparisons:
        print("\n".join(_compared(row)))
    for note in dict.fromkeys(
        f"{record.names['system']}: {record.note}" for record in records if record.note
    ):
        print(note)
    print(f"results: {outputs[0].parent}/: {', '.join(path.name for path in outputs)}")


def _compared(row: dict[str, Any]) -> list[str]:
    """What a comparison came to, and where there was nothing to gain."""
    loading, small = row["psnr_gain_loading_db"], row["whole_before_session"]
    early = "" if loading is None else f" ({loading:+.2f} dB while loading)"
    gain = f"{row['psnr_gain_db']:+.2f} dB{early}{_sooner(row)}"
    lines = [f"{row['system']} against {row['against']}, {_count(row['sessions'], 'session')}: {gain}"]
    if small:
        lines.append(
            f"  in {small} of {row['sessions']} {row['against']} was whole before the handshakes of "
            f"{row['system']} were over: so little data leaves nothing to order (docs/experiments.md)"
        )
    return lines


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _sooner(row: dict[str, Any]) -> str:
    ratio = row["first_frame_ratio"]
    if ratio is None:
        return ""
    least = "at least " if row["first_frame_at_least"] else ""
    return f", first frame {least}{ratio:.2f} times as soon"

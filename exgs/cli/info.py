"""``exgs info``: what a file holds."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from exgs.cli import arguments
from exgs.cli.errors import UsageError
from exgs.cli.paths import find_inputs, is_ugc
from exgs.cli.terminal import size, table

if TYPE_CHECKING:
    from exgs.codec import Container
    from exgs.codec.header import Header
    from exgs.scene import StartView


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Adds the flags of ``exgs info``."""
    parser.add_argument("file", metavar="FILE", help="a scene in any readable format, or a .ugc file")
    parser.add_argument("--chunks", action="store_true", help="list every chunk of a .ugc file")
    parser.add_argument(
        "--header-only", action="store_true", help="do not read the Gaussians of a scene file"
    )
    arguments.add_json(parser)


def check(args: argparse.Namespace) -> None:
    """Refuses to list chunks of what has none, and a file that is not there."""
    if args.chunks and not is_ugc(args.file):
        raise UsageError(f"--chunks: {args.file} is no .ugc file, only these have chunks")
    find_inputs(args.file)


def needs(args: argparse.Namespace) -> tuple[str, ...]:
    """Imported after ``check`` and before the work, while an interrupt ends the process at once: the decoder
    for a .ugc file alone."""
    return ("exgs.cli.files",) if is_ugc(args.file) else ("exgs.scene",)


def run(args: argparse.Namespace) -> int:
    """Describes the file."""
    if is_ugc(args.file):
        facts, rows = _describe_ugc(args.file, with_chunks=args.chunks)
    else:
        facts, rows = _describe_scene(args.file, scan=not args.header_only)
    print(json.dumps(facts) if args.json else table(rows))
    return 0


def _describe_scene(path: str, *, scan: bool) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    from exgs.scene import describe

    scene = describe(path, scan=scan)
    ratio = scene.float_bytes / max(scene.size_bytes, 1)
    rows = [
        ("file", f"{path}, {size(scene.size_bytes)}"),
        ("format", f"{scene.format} {scene.version}".strip()),
        ("splats", f"{scene.count:,}"),
        ("SH degree", str(scene.sh_degree)),
        ("frame", _frame(scene.frame.axes, scene.frame.up, scene.frame.metres_per_unit)),
        ("as float32", f"{size(scene.float_bytes)} ({ratio:.1f} times this file)"),
    ]
    if scene.level_counts:
        rows.append(("levels", ", ".join(f"{count:,}" for count in scene.level_counts) + " (finest first)"))
    if scene.bounds_min is not None and scene.bounds_max is not None:
        rows.append(("bounds", f"{_point(scene.bounds_min)} to {_point(scene.bounds_max)}"))
    if scene.non_finite:
        what = "Gaussians with a value that is not finite, or no rotation"
        rows.append(("unsound", f"{scene.non_finite:,} {what} (convert --drop-non-finite leaves them out)"))
    return asdict(scene) | {"up": scene.frame.up}, rows


def _describe_ugc(path: str, *, with_chunks: bool) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    from exgs.cli.files import read_ugc

    container = read_ugc(path)
    facts = _ugc_facts(path, container)
    if with_chunks:
        facts["chunk_list"] = [_chunk_facts(chunk) for chunk in container.manifest]
    return facts, _ugc_rows(facts, container.header)


def _ugc_facts(path: str, container: Container) -> dict[str, Any]:
    header, chunks = container.header, container.manifest
    return {
        "path": path,
        "format": "UGC",
        "version": ".".join(map(str, header.version)),
        "size_bytes": len(container.data),
        "preamble_bytes": len(container.preamble),
        "count": container.shown,
        "sh_degree": header.sh_degree,
        "frame": asdict(header.frame),
        "up": header.frame.up,
        "bounds_min": [float(side) for side in header.bounds_min],
        "bounds_max": [float(side) for side in header.bounds_max],
        "start": None if header.start is None else _start_facts(header.start),
        "levels": [
            {
                "level": level,
                "splats": header.level_splats[level],
                "chunks": sum(chunk.level == level for chunk in chunks),
                "bytes": sum(chunk.size_bytes for chunk in chunks if chunk.level == level),
            }
            for level in range(header.levels)
        ],
        "chunks": len(chunks),
    }


def _ugc_rows(facts: dict[str, Any], header: Header) -> list[tuple[str, str]]:
    about = f"UGC {facts['version']}, {facts['chunks']} chunks, preamble of {facts['preamble_bytes']} bytes"
    rows = [
        ("file", f"{facts['path']}, {size(facts['size_bytes'])}"),
        ("format", about),
        ("SH degree", str(header.sh_degree)),
        ("frame", _frame(header.frame.axes, header.frame.up, header.frame.metres_per_unit)),
        ("bounds", f"{_point(header.bounds_min)} to {_point(header.bounds_max)}"),
    ]
    if header.start is not None:
        rows.append(("start", f"{_point(header.start.position)} looking at {_point(header.start.target)}"))
    rows += [
        (f"level {row['level']}", f"{row['splats']:,} splats, {row['chunks']} chunks, {size(row['bytes'])}")
        for row in facts["levels"]
    ]
    return [*rows, *((f"chunk {chunk['id']}", _chunk_line(chunk)) for chunk in facts.get("chunk_list", ()))]


def _start_facts(start: StartView) -> dict[str, Any]:
    return {
        "position": start.position.tolist(),
        "target": start.target.tolist(),
        "units_per_metre": start.units_per_metre,
    }


def _chunk_facts(chunk: Any) -> dict[str, Any]:
    facts = asdict(chunk)
    return {
        key: [float(x) for x in value] if key.startswith("bounds") else value for key, value in facts.items()
    }


def _chunk_line(chunk: dict[str, Any]) -> str:
    place = "coarsest" if chunk["parent"] < 0 else f"replaces {chunk['replaced']} of chunk {chunk['parent']}"
    return (
        f"level {chunk['level']}, tile {chunk['tile']}, {chunk['count']:,} splats, "
        f"{chunk['size_bytes']:,} bytes at {chunk['offset']:,}, {place}, importance {chunk['importance']:.3g}"
    )


def _frame(axes: str, up: str, metres: float | None) -> str:
    return f"{axes}, up is {up}, " + ("unit unknown" if metres is None else f"{metres:g} m per unit")


def _point(point: Iterable[float]) -> str:
    return "(" + ", ".join(f"{value:.3g}" for value in point) + ")"

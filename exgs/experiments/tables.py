"""Writes what an experiment came to: tables for programs, and one for a person."""

from __future__ import annotations

import csv
import importlib
import importlib.util
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from exgs.experiments.figures import Row
from exgs.experiments.records import Record
from exgs.scene.formats.atomic import replacing, write_bytes

FRAMES, CHUNKS, SUMMARY, DOCUMENT = "frames.csv", "chunks.csv", "summary.csv", "summary.json"


def write_tables(folder: Path, records: Sequence[Record], document: Row) -> list[Path]:
    """Writes one row for each frame, chunk and session, and ``document`` with the sessions as JSON.

    Parquet files stand beside the first two where pyarrow is installed. Gives the names of all.

    Raises:
        SceneError: the folder cannot be written to.
    """
    tables = {
        FRAMES: [{**record.names, **row} for record in records for row in record.frames],
        CHUNKS: [{**record.names, **row} for record in records for row in record.chunks],
        SUMMARY: [record.row for record in records],
    }
    written = [folder / name for name in tables]
    for path, rows in zip(written, tables.values(), strict=True):
        write_bytes(path, to_csv(rows).encode())
    if importlib.util.find_spec("pyarrow") is not None:
        for name in (FRAMES, CHUNKS):
            written.append((folder / name).with_suffix(".parquet"))
            _write_parquet(written[-1], tables[name])
    text = json.dumps({**document, "sessions": tables[SUMMARY]}, indent=1)
    write_bytes(folder / DOCUMENT, f"{text}\n".encode())
    return [*written, folder / DOCUMENT]


def to_csv(rows: Sequence[Row]) -> str:
    """The rows under the names of all their columns; what is None or absent stays empty."""
    names = columns(rows)
    stream = io.StringIO()
    writer = csv.DictWriter(stream, names, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def columns(rows: Iterable[Row]) -> list[str]:
    """Every column of any row, in the order in which they first come."""
    return list(dict.fromkeys(name for row in rows for name in row))


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Lines of columns, the first two to the left, the others to the right."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = []
    for row in rows:
        cells = [
            word.ljust(width) if column < 2 else word.rjust(width)
            for column, (word, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)


def seconds(value: float | None) -> str:
    """A time for a person."""
    return "never" if value is None else f"{value:.2f} s"


def _write_parquet(path: Path, rows: Sequence[Row]) -> None:
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    names = columns(rows)
    with replacing(path) as file:
        parquet.write_table(arrow.table({name: [row.get(name) for row in rows] for name in names}), file)

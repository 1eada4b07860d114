"""What was measured, one row of a JSON Lines file for each file that a system made."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

Key = tuple[str, str, int]
KEPT = Path(__file__).parent / "kept.jsonl"
"""Rows of other systems that took long, and that a change of ours leaves as they are."""


@dataclass(frozen=True)
class Row:
    """One file of one scene by one system; figures are None where it could not be made."""

    scene: str
    system: str
    budget: int
    """Bytes that it might take; 0 where the system cannot be told."""
    float_bytes: int
    """Size of the scene as a float32 PLY."""
    note: str = ""
    """Why there are no figures."""
    ratio: float | None = None
    """The ratio that the budget stands for, if any."""
    bytes: int | None = None
    splats: int | None = None
    psnr: float | None = None
    """dB, mean over the views."""
    psnr_min: float | None = None
    ssim: float | None = None
    flip: float | None = None
    """Mean over a few of the views."""
    encode_s: float | None = None
    decode_s: float | None = None
    peak_mib: float | None = None
    """Most memory of the encoding process."""
    trials: int = 0
    judge: str = ""
    """``referee``, or ``exgs`` where the product's own rasteriser stood in for it."""
    views: int = 0
    jobs: int = 1
    """Measurements under way at once: more than one slows each other's times."""
    version: str = ""
    machine: str = ""
    date: str = ""

    @property
    def key(self) -> Key:
        """What no two rows share."""
        return self.scene, self.system, self.budget

    @property
    def done(self) -> bool:
        """Whether it holds figures."""
        return self.psnr is not None


class Rows:
    """The rows of a file; new ones are appended as they come, from any thread."""

    def __init__(self, path: Path, *, forget: Collection[str] = (), kept: Path | None = None) -> None:
        """Reads what ``kept`` and ``path`` hold, the last row of each key; those of the systems in ``forget``
        go."""
        self._path = path
        self._lock = threading.Lock()
        self._rows: dict[Key, Row] = {}
        self._fresh: set[Key] = set()
        there = [file for file in (kept, path) if file is not None and file.exists()]
        lines = [line for file in there for line in file.read_text().splitlines()]
        for row in (Row(**json.loads(line)) for line in lines if line.strip()):
            if row.system not in forget:
                self._rows[row.key] = row
        path.parent.mkdir(parents=True, exist_ok=True)
        if forget:
            path.write_text("".join(_line(row) for row in self._rows.values()))

    def __iter__(self) -> Iterator[Row]:
        with self._lock:
            return iter(list(self._rows.values()))

    def known(self, key: Key) -> Row | None:
        """The row of that scene, system and budget; one without figures only if it was added here."""
        with self._lock:
            row = self._rows.get(key)
            return row if row is not None and (row.done or key in self._fresh) else None

    def add(self, row: Row) -> None:
        """Keeps a row, here and in the file."""
        with self._lock:
            self._rows[row.key] = row
            self._fresh.add(row.key)
            with self._path.open("a") as file:
                file.write(_line(row))


NEARLY = 0.97
"""A file of at least so much of a peer's bytes is held against it."""


def meets(peer: Row, rows: Iterable[Row], system: str = "ugc") -> Row | None:
    """The largest file of ``system`` that is no larger than the peer's: nearly as large, or all it can be."""
    most = peer.bytes or 0
    found = [row for row in rows if (row.scene, row.system) == (peer.scene, system) and row.done]
    near = [row for row in found if row.budget == most or NEARLY * most <= (row.bytes or 0) <= most]
    return max(near, key=lambda row: row.bytes or 0, default=None)


def _line(row: Row) -> str:
    return json.dumps(asdict(row)) + "\n"

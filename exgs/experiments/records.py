"""What came of each session, kept on disk so that none is played again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from exgs.experiments.figures import Row
from exgs.scene.formats.atomic import write_bytes

FOLDER = "rows"


@dataclass(frozen=True)
class Record:
    """One finished session, or why there is none."""

    names: Row
    """Its scene, ratio, link, head, system and seed, as tables name them."""
    mode: str
    """Which engine played it: virtual or real."""
    summary: Row
    """One row for all of it; empty where it was not played."""
    frames: tuple[Row, ...] = ()
    """One for each judged frame."""
    chunks: tuple[Row, ...] = ()
    """One for each sending of a chunk."""
    note: str = ""
    """Why it was not played."""
    kept: bool = False
    """Whether it was played by an earlier run, and its row was found in the folder."""

    @property
    def row(self) -> Row:
        """Its row of the summary."""
        return {**self.names, "mode": self.mode, **self.summary, "kept": int(self.kept), "note": self.note}


class Records:
    """A folder with a file for each session, named by what its outcome depends on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER

    def get(self, key: str, names: Row) -> Record | None:
        """The session of that key, under the names it has now; None where it must be played."""
        path = self._folder / f"{key}.json"
        try:
            values: dict[str, Any] = json.loads(path.read_bytes())
            record = Record(
                **{**values, "frames": tuple(values["frames"]), "chunks": tuple(values["chunks"])}
            )
        except FileNotFoundError:
            return None
        except (ValueError, TypeError, KeyError):  # a damaged file costs time, nothing else
            path.unlink()
            return None
        return replace(record, names=names, kept=True)

    def put(self, key: str, record: Record) -> None:
        """Keeps a session, whole or not at all."""
        self._folder.mkdir(parents=True, exist_ok=True)
        write_bytes(self._folder / f"{key}.json", json.dumps(asdict(record)).encode())

    def clear(self) -> None:
        """Forgets all of them."""
        for path in self._folder.glob("*.json"):
            path.unlink()

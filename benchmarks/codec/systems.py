"""The systems that are compared: how each makes a file of a scene, and a PLY of the file.

Every command is timed from its start to its end, the start of its interpreter and the reading of the PLY
included, so that all are measured alike.
"""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.codec.processes import CommandError, Finished, run
from benchmarks.codec.scenes import ROOT, Scene
from benchmarks.codec.search import fill_budget

FP16_BYTES = 28
"""Bytes of a Gaussian by which the method as published counts."""
SH_BYTES = (0, 9, 24, 45)
"""Bytes of the harmonics in SPZ and compressed.ply, by degree."""


@dataclass(frozen=True)
class Tools:
    """Programs that are not part of this project."""

    splat_transform: str | None = None
    """Where splat-transform is; None looks on the PATH and in node_modules."""

    def find_splat_transform(self) -> str | None:
        """Its path, or None where it is not installed."""
        if self.splat_transform:
            return shutil.which(self.splat_transform)
        name = "splat-transform"
        return shutil.which(name) or shutil.which(name, path=ROOT / "node_modules" / ".bin")


@dataclass(frozen=True)
class Made:
    """A file and what it took to make."""

    path: Path
    size_bytes: int
    seconds: float
    peak_mib: float
    trials: int = 1
    """Files made to find one of the right size; seconds and memory are those of the one taken."""


class System(Protocol):
    """Makes files of scenes."""

    @property
    def label(self) -> str:
        """How tables and plots call it."""

    def absent(self, tools: Tools) -> str:
        """Why it cannot run here; empty if it can."""

    def version(self, tools: Tools) -> str:
        """Which version runs."""

    def encode(self, scene: Scene, budget: int, stem: Path, tools: Tools, hint: float | None) -> Made | None:
        """A file of at most ``budget`` bytes, if the system can be told; None where none is so small.

        ``hint`` is what a Gaussian took in another file of the same scene, if there is one.
        """

    def decode(self, made: Path, ply: Path, tools: Tools) -> Finished:
        """Writes what the file shows as a PLY."""


@dataclass(frozen=True)
class Exgs:
    """This project's encoder."""

    label: str
    method: str

    def absent(self, tools: Tools) -> str:
        return ""

    def version(self, tools: Tools) -> str:
        try:
            commit = run(["git", "describe", "--always", "--dirty"]).output.strip()
        except CommandError:
            commit = "no commit"
        return f"{importlib.metadata.version('exgs')} ({commit})"

    def encode(self, scene: Scene, budget: int, stem: Path, tools: Tools, hint: float | None) -> Made | None:
        path = stem.with_suffix(".ugc")
        done = run(
            [*EXGS, "encode", scene.ply, path, "--method", self.method, "--max-bytes", budget, "-w", "-q"]
        )
        return Made(path, path.stat().st_size, done.seconds, done.peak_mib)

    def decode(self, made: Path, ply: Path, tools: Tools) -> Finished:
        return run([*EXGS, "decode", made, ply, "-w", "-q"])


@dataclass(frozen=True)
class SplatTransform:
    """PlayCanvas splat-transform: decimation by pairwise merging, if asked for, then one of its formats."""

    label: str
    suffix: str
    decimates: bool = False
    sh_degree: int | None = None
    """Harmonics are cut to it; None keeps them."""
    options: tuple[object, ...] = ()

    def absent(self, tools: Tools) -> str:
        return "" if tools.find_splat_transform() else "splat-transform is not installed"

    def version(self, tools: Tools) -> str:
        told = run([*self._program(tools), "--version"])
        found = re.search(r"\d+\.\d+\.\d+", told.output + told.remarks)
        return f"splat-transform {found.group() if found else '?'}"

    def encode(self, scene: Scene, budget: int, stem: Path, tools: Tools, hint: float | None) -> Made | None:
        if not self.decimates:
            return self._make(scene, None, stem, tools)[0]
        found = fill_budget(
            lambda count: self._make(scene, count, stem, tools),
            budget, scene.splats, hint or self._splat_bytes(scene),
        )  # fmt: skip
        if found is None:
            return None
        made = found.made
        return Made(made.path, made.size_bytes, made.seconds, made.peak_mib, found.trials)

    def decode(self, made: Path, ply: Path, tools: Tools) -> Finished:
        # Its own reader is timed; but it writes full opacity as infinite, which no judge draws.
        timed = run([*self._program(tools), "-w", "-q", made, ply])
        run([*EXGS, "convert", made, ply, "-w", "-q"])
        return timed

    def _make(self, scene: Scene, count: int | None, stem: Path, tools: Tools) -> tuple[Made, int]:
        path = stem.with_name(f"{stem.name}-{count or 'all'}{self.suffix}")
        actions: list[object] = [] if count is None else ["--decimate", count]
        if self.sh_degree is not None:
            actions = ["--filter-harmonics", self.sh_degree, *actions]
        done = run([*self._program(tools), "-w", "-q", *self.options, scene.ply, *actions, path])
        size = path.stat().st_size
        return Made(path, size, done.seconds, done.peak_mib), size

    def _program(self, tools: Tools) -> list[object]:
        found = tools.find_splat_transform()
        if found is None:
            raise CommandError("splat-transform is not installed")
        return [found, "-g", "cpu"]

    def _splat_bytes(self, scene: Scene) -> float:
        degree = scene.sh_degree if self.sh_degree is None else self.sh_degree
        if self.suffix == ".sog":
            return 17.0 + (8.0 if degree else 0.0)
        return 16.3 + (0.7 if self.suffix == ".spz" else 1.0) * SH_BYTES[degree]


@dataclass(frozen=True)
class Sogpy:
    """SOG as the PyPI package sogpy writes it; splat-transform, which defines the format, reads it."""

    label: str

    def absent(self, tools: Tools) -> str:
        try:
            importlib.metadata.version("sogpy")
        except importlib.metadata.PackageNotFoundError:
            return "sogpy is not installed"
        return (
            "" if tools.find_splat_transform() else "splat-transform, which reads its files, is not installed"
        )

    def version(self, tools: Tools) -> str:
        return f"sogpy {importlib.metadata.version('sogpy')}"

    def encode(self, scene: Scene, budget: int, stem: Path, tools: Tools, hint: float | None) -> Made | None:
        path = stem.with_suffix(".sog")
        done = run([sys.executable, "-m", "SogPython.cli", scene.ply, path])
        return Made(path, path.stat().st_size, done.seconds, done.peak_mib)

    def decode(self, made: Path, ply: Path, tools: Tools) -> Finished:
        return SplatTransform("", ".sog").decode(made, ply, tools)


EXGS = (sys.executable, "-m", "exgs")
OURS, PUBLISHED = "ugc", "exgs"
AT_EQUAL_BYTES: dict[str, System] = {
    OURS: Exgs("exgs (ours)", "ugc"),
    PUBLISHED: Exgs("ExGS as published", "exgs"),
    "decimate+sog": SplatTransform("decimate + SOG", ".sog", True),
    "decimate+spz": SplatTransform("decimate + SPZ", ".spz", True),
    "decimate+compressed": SplatTransform("decimate + compressed.ply", ".compressed.ply", True),
    "decimate+sog-0": SplatTransform("decimate + SOG, degree 0", ".sog", True, 0),
}
"""Systems that can be told how large a file may be."""
AS_THEY_ARE: dict[str, System] = {
    "sog": SplatTransform("SOG", ".sog"),
    "sogpy": Sogpy("SOG by sogpy"),
    "spz4": SplatTransform("SPZ v4", ".spz", options=("--spz-version", 4)),
    "spz3": SplatTransform("SPZ v3", ".spz", options=("--spz-version", 3)),
    "compressed": SplatTransform("compressed.ply", ".compressed.ply"),
}
"""Formats that keep every Gaussian of the scene."""
SYSTEMS = AT_EQUAL_BYTES | AS_THEY_ARE


def applies(name: str, scene: Scene) -> bool:
    """Whether a system has something of its own to say about a scene: cutting no harmonics has not."""
    system = SYSTEMS[name]
    cuts = isinstance(system, SplatTransform) and system.sh_degree is not None
    return scene.sh_degree > 0 or not cuts

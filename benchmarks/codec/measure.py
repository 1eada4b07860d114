"""Makes a file, decodes it, has it judged, and writes the row."""

from __future__ import annotations

import json
import math
import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

from benchmarks.codec.processes import CommandError, run
from benchmarks.codec.rows import Row, Rows, meets
from benchmarks.codec.scenes import Scene, make_ready
from benchmarks.codec.search import next_match
from benchmarks.codec.systems import (
    AS_THEY_ARE,
    AT_EQUAL_BYTES,
    FP16_BYTES,
    OURS,
    PUBLISHED,
    SYSTEMS,
    Made,
    Tools,
    applies,
)
from exgs.scene import generate_interior, write_scene

MATCHED = ("sog", "spz4")
"""Formats whose PSNR our smallest file is looked for at."""
MATCH_TRIALS = 3


@dataclass(frozen=True)
class Bench:
    """Where measurements go and what they are made with."""

    folder: Path
    rows: Rows
    tools: Tools
    jobs: int = 1

    @cached_property
    def machine(self) -> str:
        """What this machine is."""
        gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
        return f"{os.cpu_count()} x {_processor()}, {gib:.0f} GiB, {platform.system()}"

    def warm(self) -> None:
        """Has the kernels compiled, so that no row pays for it."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scene.ply"
            write_scene(path, generate_interior(count=4000))
            gaussians = Scene("warm", str(path), str(path), "", 4000, 3, 4000 * 248)
            for name in (OURS, PUBLISHED):
                made = SYSTEMS[name].encode(gaussians, 60_000, Path(folder) / name, self.tools, None)
                if made:
                    SYSTEMS[name].decode(made.path, Path(folder) / "out.ply", self.tools)

    def scene(self, name: str) -> Scene:
        """A scene made ready, kept in the folder."""
        return make_ready(name, self.folder / "scenes" / Path(name).name)

    def at_equal_bytes(self, scene: Scene, ratio: float) -> None:
        """Every system that can be told a size, at one ratio."""
        for name in AT_EQUAL_BYTES:
            if applies(name, scene):
                self.row(scene, name, scene.budget(ratio), ratio)

    def near_lossless(self, scene: Scene) -> None:
        """The formats that keep every Gaussian, ours at their bytes, and ours at the PSNR of some."""
        for name in AS_THEY_ARE:
            peer = self.row(scene, name, 0)
            if peer.bytes is not None and meets(peer, self.rows) is None:
                self.row(scene, OURS, peer.bytes)
        for name in MATCHED:
            peer = self.row(scene, name, 0)
            for _ in range(MATCH_TRIALS if peer.psnr is not None else 0):
                budget = next_match(self._curve(scene), peer.psnr or 0.0)
                if budget is None or not self.row(scene, OURS, budget).done:
                    break

    def _curve(self, scene: Scene) -> list[tuple[int, float]]:
        rows = [row for row in self.rows if (row.scene, row.system) == (scene.name, OURS)]
        return [(row.bytes, row.psnr) for row in rows if row.bytes is not None and row.psnr is not None]

    def row(self, scene: Scene, name: str, budget: int, ratio: float | None = None) -> Row:
        """The row asked for, measured unless it is known."""
        known = self.rows.known((scene.name, name, budget))
        if known is not None:
            return known
        blank = Row(scene.name, name, budget, scene.float_bytes, ratio=ratio)
        absent = SYSTEMS[name].absent(self.tools)
        try:
            figures = {"note": absent} if absent else self._measure(scene, name, budget)
        except CommandError as error:
            figures = {"note": f"failed: {error}"}
        row = Row(**(vars(blank) | figures))
        self.rows.add(row)
        print(_said(row), file=sys.stderr, flush=True)
        return row

    def _measure(self, scene: Scene, name: str, budget: int) -> dict[str, Any]:
        system = SYSTEMS[name]
        with tempfile.TemporaryDirectory(dir=self.folder) as folder:
            made = system.encode(
                scene, budget, Path(folder) / "made", self.tools, self._hint(scene, name, budget)
            )
            if made is None:
                return {"note": f"makes no file of at most {budget:,} bytes"}
            ply = Path(folder) / "decoded.ply"
            decoded = system.decode(made.path, ply, self.tools)
            splats = splats_of(ply)
            judged = self._judge(scene, ply, f"{name}-{budget}")
        return judged | {
            "bytes": FP16_BYTES * splats if name == PUBLISHED else made.size_bytes, "splats": splats,
            **_took(made), "decode_s": round(decoded.seconds, 2), "jobs": self.jobs,
            "version": system.version(self.tools), "machine": self.machine, "date": str(date.today()),
        }  # fmt: skip

    def _hint(self, scene: Scene, name: str, budget: int) -> float | None:
        """Bytes a Gaussian of the file nearest in size that the system made of the scene."""
        rows = [row for row in self.rows if (row.scene, row.system) == (scene.name, name) and row.done]
        near = min(rows, key=lambda row: abs(math.log((row.bytes or 1) / max(budget, 1))), default=None)
        return (near.bytes or 0) / (near.splats or 1) if near else None

    def _judge(self, scene: Scene, ply: Path, name: str) -> dict[str, Any]:
        pictures = self.folder / "pictures" / scene.name
        pictures.mkdir(parents=True, exist_ok=True)
        done = run([
            sys.executable, "-m", "benchmarks.codec.judge", scene.source, ply, scene.cameras,
            "--reference", pictures / "reference.npy", "--picture", pictures / f"{name}.png",
        ])  # fmt: skip
        return dict(json.loads(done.output))


def _took(made: Made) -> dict[str, Any]:
    return {"encode_s": round(made.seconds, 2), "peak_mib": round(made.peak_mib), "trials": made.trials}


def splats_of(ply: Path) -> int:
    """The Gaussians that the header of a PLY names."""
    with ply.open("rb") as file:
        for line in file:
            if line.startswith(b"element vertex"):
                return int(line.split()[2])
    raise CommandError(f"{ply.name}: no PLY")


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.machine()


def _said(row: Row) -> str:
    where = f"{row.scene} {row.system} {row.budget:,}:"
    if not row.done:
        return f"{where} {row.note}"
    return f"{where} {row.bytes:,} bytes, {row.splats:,} splats, {row.psnr:.2f} dB, {row.encode_s:.1f} s"

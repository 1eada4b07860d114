"""What encoding takes: seconds and memory by phase, for another budget, and beside splat-transform.

    python -m benchmarks.encode [SCENE ...] [--generate 1500000] [--sh-degree 0] [--max-bytes 3460000]
        [--splat-transform PATH] [--seed 3] [--once]

    python -m benchmarks.encode --generate 13500000 --max-bytes 8579439 --once

Every run is a process of its own, start included. One table per scene: ``exgs encode``; the same scene for
half the bytes out of the cache that the first run filled; the same half encoded afresh; all the bytes with
the least effort; and splat-transform ``-g cpu --decimate`` to as many Gaussians as the first kept, written as
SOG, where it is on the PATH or named; with ``--once`` the first run alone. An interior of more Gaussians than
the generator makes has each of its Gaussians split into several. PSNR is over views that no encoder has seen.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.judging import Reference
from exgs import codec
from exgs.raster import choose_rasterizer
from exgs.scene import Gaussians, generate_interior, read_scene, write_scene
from exgs.scene.interior import MAX_COUNT

JUDGES = 16
"""Views that a file is judged by."""
PHASES = ("read", *codec.PHASES)
"""Whose seconds have a column each."""
EXGS = (sys.executable, "-m", "exgs", "encode")


@dataclass(frozen=True)
class Run:
    """One process that came to a good end."""

    seconds: float
    """Wall time, start included."""
    said: str
    """Its standard output."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A scene that is encoded again and again."""

    path: Path
    """Its file."""
    folder: Path
    """Where what is made of it lies."""
    reference: Reference
    """Its pictures."""


def main() -> None:
    """Prints a table for each scene."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="*", type=Path)
    parser.add_argument("--generate", type=int, metavar="COUNT", help="an interior of so many Gaussians")
    parser.add_argument("--sh-degree", type=int, default=0, choices=range(4), help="of that interior")
    parser.add_argument("--seed", type=int, default=3, help="of the generated interior")
    parser.add_argument("--max-bytes", type=int, default=3_460_000)
    parser.add_argument("--splat-transform", default="splat-transform", metavar="PATH")
    parser.add_argument("--once", action="store_true", help="only encode, from nothing")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        scenes = list(args.scenes)
        if args.generate:
            scenes.append(folder / f"interior-{args.generate}.ply")
            write_scene(scenes[-1], interior(args.generate, args.seed, args.sh_degree))
        for scene in scenes:
            measure(scene, args.max_bytes, folder, None if args.once else args.splat_transform)


def interior(count: int, seed: int, degree: int) -> Gaussians:
    """An interior of any number of Gaussians; in a large one several take the place of each."""
    parts = -(-count // MAX_COUNT)
    scene = generate_interior(seed=seed, count=-(-count // parts)).with_sh_degree(degree)
    if parts == 1:
        return scene
    rng = np.random.default_rng(seed)
    return Gaussians.concatenate([near(scene, parts, rng) for _ in range(parts)]).select(slice(count))


def near(scene: Gaussians, parts: int, rng: np.random.Generator) -> Gaussians:
    """One of ``parts`` in the place of each Gaussian: within it, smaller, of nearly its colour."""
    along = rng.normal(0.0, 0.6, (len(scene), 3)).astype(np.float32) * scene.scales
    w, axis = scene.quats[:, :1], scene.quats[:, 1:]
    across = 2 * np.cross(axis, along)
    means = scene.means + along + w * across + np.cross(axis, across)
    sh0 = scene.sh0 + rng.normal(0.0, 0.02, scene.sh0.shape)
    return replace(
        scene,
        means=means.astype(np.float32),
        log_scales=scene.log_scales - np.float32(0.5 * np.log(parts)),
        sh0=sh0.astype(np.float32),
    )


def measure(path: Path, budget: int, folder: Path, peer: str | None) -> None:
    """Prints the table of one scene; without a ``peer`` only its first row."""
    print(f"\n{path.name}\n")
    print(f"| run | bytes | Gaussians | PSNR | whole s | {' | '.join(PHASES)} | peak MiB |")
    print("|---" * (len(PHASES) + 6) + "|")
    scene = Subject(path, folder, Reference(read_scene(path), JUDGES, choose_rasterizer("cpu")))
    if peer is None:
        encode(scene, "exgs", budget)
        return
    cache = ("--cache", str(folder / f"cache-{path.name}"))
    first = encode(scene, "exgs", budget, *cache)
    encode(scene, "exgs, half the bytes, from the cache", budget // 2, *cache)
    encode(scene, "exgs, half the bytes, afresh", budget // 2)
    encode(scene, "exgs --effort fast", budget, "--effort", "fast")
    decimate(scene, peer, first["splats_kept"])


def encode(scene: Subject, label: str, budget: int, *options: str) -> dict[str, Any]:
    """Encodes in a process of its own, prints its row, gives what it said."""
    made = scene.folder / "made.ugc"
    run = timed([*EXGS, str(scene.path), str(made), "--max-bytes", str(budget), "--json", "-w", *options])
    said: dict[str, Any] = json.loads(run.said)
    worth = scene.reference.mean_psnr(codec.decode(made.read_bytes()))
    phases = {phase["name"]: phase for phase in said["phases"]}
    spent = " | ".join(f"{phases[name]['seconds']:.1f}" if name in phases else "" for name in PHASES)
    peak = max(phase["peak_bytes"] for phase in phases.values()) / 2**20
    print(
        f"| {label} | {said['bytes']} | {said['splats_kept']} | {worth:.2f} | {run.seconds:.1f} | "
        f"{spent} | {peak:.0f} |",
        flush=True,
    )
    return said


def decimate(scene: Subject, peer: str, count: int) -> None:
    """Prints the row of splat-transform with so many Gaussians, where ``peer`` names it."""
    found = shutil.which(peer)
    if found is None:
        print(f"| splat-transform | not found: {peer} |")
        return
    made = scene.folder / "peer.sog"
    run = timed([found, "-g", "cpu", "-w", "-q", str(scene.path), "--decimate", str(count), str(made)])
    worth, peak = scene.reference.mean_psnr(read_scene(made)), peak_mib()
    print(
        f"| splat-transform -g cpu --decimate, SOG | {made.stat().st_size} | {count} | {worth:.2f} | "
        f"{run.seconds:.1f} |{' |' * len(PHASES)} {peak:.0f} (or less) |"
    )


def timed(command: Sequence[str]) -> Run:
    """Runs ``command`` to its end, which must be a good one."""
    begin = time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Run(time.perf_counter() - begin, done.stdout)


def peak_mib() -> float:
    """Highest memory of any child so far."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024


if __name__ == "__main__":
    main()

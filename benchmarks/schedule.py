"""Compares orders of sending: picture quality over a session, on virtual time.

    python benchmarks/schedule.py [--mbps 2,5,20] [--traces FOLDER] [--scene FILE.ugc --source FILE]

Without a scene it generates an interior and encodes it. A link of one rate and delay carries chunks; the
server chooses each one as late as its send buffer allows, for the newest view that has reached it; the client
shows what has arrived. At moments of the session the picture is compared with that of the uncompressed scene
at the same pose. ``download`` shows nothing until the whole file is there. Figures are mean PSNRs in dB, over
the session and, behind the bar, while the file is loading. All orders have sent as many bytes at any time.
``error`` is the product's order, ``importance`` the same before the scene was looked at. ``oracle`` bounds
what any can reach: it knows where the head will be, and what each chunk saves in the pictures to come.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.codec import Assembly, Container, EncodeConfig, decode_chunk, encode, open_container
from exgs.codec.worth import ChunkTable
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.raster.quality import psnr
from exgs.scene import (
    Camera,
    Gaussians,
    HeadPath,
    generate_interior,
    head_camera,
    read_head_trace,
    read_scene,
    synthetic_head_trace,
)
from exgs.scene.outlook import View
from exgs.server.orders import ORDERS
from exgs.server.schedule import Schedule
from exgs.server.sight import Scouted, is_worth_a_look
from exgs.server.sighting import errors_in, measure_sight, stages_of

SIZE = (320, 180)
FOV_Y_RAD = 1.2
BUFFER_BYTES = 32 << 10
"""What waits in the server's transport when the next chunk is chosen."""
VELOCITY_SPAN_S = 0.02
FORESIGHT_S = 1.0
"""So much of the future counts for the oracle; more was worse, with chunks as they are."""


@dataclass(frozen=True)
class LinkModel:
    """A link without loss."""

    bytes_per_s: float
    delay_s: float
    """One way."""


@dataclass(frozen=True, eq=False)
class Stage:
    """What all runs share."""

    container: Container
    table: ChunkTable
    splats: tuple[Gaussians, ...]
    """Every chunk, decoded."""
    source: Gaussians
    rasterizer: Rasterizer
    scouted: Scouted
    """What the server has found out."""


class Oracle:
    """A schedule that knows the pictures to come."""

    def __init__(self, stage: Stage, path: HeadPath, seconds: float) -> None:
        self._table, self._sent = stage.table, np.zeros(stage.table.count, bool)
        self._times_s = np.arange(0.125, seconds, 0.25)
        stages, saved, final = stages_of(stage.container), [], []
        for time_s in self._times_s:
            cameras = [camera_at(path, float(time_s))]
            truth = stage.rasterizer.render(stage.source, cameras).color
            whole = stage.rasterizer.render(stages[-1].gaussians, cameras).color
            saved.append(errors_in(stages, cameras, stage.rasterizer, truth).sum(axis=1))
            final.append(np.square(whole - truth).sum())
        self._saved, self._final = np.array(saved), np.array(final)

    @property
    def remaining(self) -> int:
        """How many chunks are still to be sent."""
        return int((~self._sent).sum())

    def next_at(self, there_s: float) -> int:
        """The chunk that saves most decibels a byte, to first order, in the second after ``there_s``."""
        ready = ~self._sent & ((self._table.parents < 0) | self._sent[np.maximum(self._table.parents, 0)])
        if (ready & (self._table.parents < 0)).any():
            ready &= self._table.parents < 0
        ahead = (self._times_s >= there_s) & (self._times_s <= there_s + FORESIGHT_S)
        ahead[np.searchsorted(self._times_s, min(there_s, self._times_s[-1]))] = True
        wrong = self._final[ahead] + self._saved[ahead][:, ~self._sent].sum(axis=1)
        gains = (1 / wrong) @ self._saved[ahead]
        gains[self._sent] = 0
        worth = self._table.per_byte(gains)
        chunk = int(np.argmax(np.where(ready, worth, -1.0)))
        self._sent[chunk] = True
        return chunk


def arrivals(
    stage: Stage, path: HeadPath, link: LinkModel, order: str, seconds: float
) -> list[tuple[float, int]]:
    """When each chunk is there, and which."""
    oracle = Oracle(stage, path, seconds) if order == "oracle" else None
    scouted = None if order == "importance" else stage.scouted
    schedule = Schedule(stage.table, order=ORDERS.get(order, ORDERS["error"]), scouted=scouted)
    buffered_s = BUFFER_BYTES / link.bytes_per_s
    free_s = 2 * link.delay_s + len(stage.container.preamble) / link.bytes_per_s
    there: list[tuple[float, int]] = []
    while len(there) < stage.table.count:
        chosen_s = max(free_s - buffered_s, 2 * link.delay_s)
        seen_s = chosen_s - link.delay_s
        schedule.see(view_at(path, max(seen_s, 0.0)))
        delay_s = free_s - chosen_s + 2 * link.delay_s
        chunk = oracle.next_at(free_s + link.delay_s) if oracle else schedule.next_chunk(delay_s=delay_s)
        assert chunk is not None
        free_s += stage.table.bytes[chunk] / link.bytes_per_s
        there.append((free_s + link.delay_s, chunk))
    return there


def view_at(path: HeadPath, time_s: float) -> View:
    """What the client tells of its head."""
    now, before = path.pose_at(time_s), path.pose_at(max(time_s - VELOCITY_SPAN_S, 0.0))
    camera = camera_at(path, time_s)
    turn = now[:3, :3] @ before[:3, :3].T
    axis = np.array([turn[2, 1] - turn[1, 2], turn[0, 2] - turn[2, 0], turn[1, 0] - turn[0, 1]]) / 2
    return View(
        now[:3, 3],
        camera.camera_from_world[:3, :3],
        2 * np.arctan(np.tan(FOV_Y_RAD / 2) * SIZE[0] / SIZE[1]),
        FOV_Y_RAD,
        (now[:3, 3] - before[:3, 3]) / VELOCITY_SPAN_S,
        axis / VELOCITY_SPAN_S,
    )


def camera_at(path: HeadPath, time_s: float) -> Camera:
    """The eye in the middle of the head."""
    return head_camera(path.pose_at(time_s), size=SIZE, fov_y_rad=FOV_Y_RAD)


def quality(
    stage: Stage, there: list[tuple[float, int]], views: list[tuple[float, Camera, np.ndarray]]
) -> list[float]:
    """PSNR at each view, in dB."""
    assembly, waiting, found = Assembly(stage.container.parsed), iter([*there, (np.inf, -1)]), []
    due_s, chunk = next(waiting)
    for time_s, camera, truth in views:
        while due_s <= time_s:
            assembly.add(chunk, stage.splats[chunk])
            due_s, chunk = next(waiting)
        picture = stage.rasterizer.render(assembly.gaussians(), [camera]).color[0]
        found.append(psnr(truth, picture))
    return found


def paths(folder: Path | None, stage: Stage) -> Iterator[tuple[str, HeadPath]]:
    """Every head trace, led through the scene."""
    if folder is None:
        traces = [(f"synthetic {seed}", synthetic_head_trace(seconds=30, seed=seed)) for seed in range(2)]
    else:
        files = sorted(file for file in folder.glob("user*.csv"))
        traces = [(file.stem, read_head_trace(file)) for file in files]
    for name, trace in traces:
        yield name, trace.retarget(stage.source, start=stage.container.header.start)


def open_stage(scene: Path | None, source: Path | None, count: int, threads: int | None) -> Stage:
    """Reads or makes the scene."""
    rasterizer = choose_rasterizer("auto", threads=threads)
    gaussians = read_scene(source) if source else generate_interior(seed=11, count=count)
    if scene is None:
        config = EncodeConfig(ratio=20.0, views=32)
        data = encode(gaussians, config, rasterizer=rasterizer).data
    else:
        data = scene.read_bytes()
    container = open_container(data)
    ids = range(len(container.manifest))
    splats = tuple(decode_chunk(container.parsed, id, container.chunk(id)) for id in ids)
    scouted = Scouted(measure_sight(container, rasterizer) if is_worth_a_look(container) else None)
    return Stage(container, ChunkTable(container.manifest), splats, gaussians, rasterizer, scouted)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--mbps", default="2,5,20")
    parser.add_argument("--delay-ms", type=float, default=25.0, help="one way")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--views", type=int, default=12, help="moments at which pictures are compared")
    parser.add_argument("--traces", type=Path, default=None, help="folder of EyeNavGS recordings")
    parser.add_argument("--only", default="", help="traces whose name holds this")
    parser.add_argument("--scene", type=Path, default=None)
    parser.add_argument("--source", type=Path, default=None)
    parser.add_argument("--count", type=int, default=300_000, help="Gaussians of the interior")
    parser.add_argument("--orders", default="file,level,importance,error,oracle")
    parser.add_argument("--threads", type=int, default=None)
    args = parser.parse_args()
    stage = open_stage(args.scene, args.source, args.count, args.threads)
    table = stage.table
    print(
        f"{len(stage.container.data):,} bytes, {table.count} chunks of {int(np.median(table.bytes)):,} bytes "
        f"in the middle, {stage.container.header.levels} levels, {len(stage.source):,} Gaussians",
        flush=True,
    )
    rates = [float(word) for word in args.mbps.split(",")]
    sums: dict[tuple[str, float, str], list[float]] = {}
    for name, path in paths(args.traces, stage):
        if args.only not in name:
            continue
        for mbps in rates:
            measure(stage, (name, path), mbps, args, sums)
    print("\nmean of all traces: dB over the session | while loading")
    for mbps in rates:
        for order in ["download", *args.orders.split(",")]:
            session, loading = (np.mean(sums[order, mbps, part]) for part in ("session", "loading"))
            print(f"{mbps:5g} Mbit/s  {order:10} {session:.2f} | {loading:.2f}")


def measure(
    stage: Stage,
    walk: tuple[str, HeadPath],
    mbps: float,
    args: argparse.Namespace,
    sums: dict[tuple[str, float, str], list[float]],
) -> None:
    """One row of the table: a head and a rate, every order."""
    name, path = walk
    link = LinkModel(mbps * 1e6 / 8, args.delay_ms / 1000)
    loaded_s = 3 * link.delay_s + len(stage.container.data) / link.bytes_per_s
    seconds = min(args.seconds, path.duration_s)
    times = (np.arange(args.views) + 0.5) / args.views
    early = times * min(loaded_s, seconds)
    late = (
        loaded_s + times[:: max(1, args.views // 3)] * (seconds - loaded_s)
        if seconds > loaded_s
        else early[:0]
    )
    views = [(float(t), camera_at(path, float(t))) for t in (*early, *late)]
    pictures = [stage.rasterizer.render(stage.source, [camera]).color[0] for _, camera in views]
    known = [(t, camera, picture) for (t, camera), picture in zip(views, pictures, strict=True)]
    black = [psnr(picture, np.zeros_like(picture)) for picture in pictures]
    row = f"{name:20} {mbps:5g} Mbit/s, {loaded_s:5.1f} s: "
    for order in ["download", *args.orders.split(",")]:
        if order == "download":
            whole = quality(stage, arrivals(stage, path, link, "file", seconds), known)
            found = [*black[: len(early)], *whole[len(early) :]]
        else:
            found = quality(stage, arrivals(stage, path, link, order, seconds), known)
        loading = float(np.mean(found[: len(early)]))
        share = min(loaded_s / seconds, 1.0)
        session = share * loading + (1 - share) * (float(np.mean(found[len(early) :])) if len(late) else 0.0)
        sums.setdefault((order, mbps, "session"), []).append(session)
        sums.setdefault((order, mbps, "loading"), []).append(loading)
        row += f"  {order} {session:.2f} | {loading:.2f}"
    print(row, flush=True)


if __name__ == "__main__":
    main()

"""Does tuning the restorer to a scene buy more picture than as many bytes of Gaussians?

    python -m benchmarks.scene_tuning SCENE|SEED ... [--ratios 107 200] [--parts both] [--steps 400]

Each scene (a file, or the seed of a generated interior) is encoded as ``exgs encode`` does. A small part of
``tiny`` is then fitted to renderings of the source from sampled views, of which every sixth is held back, and
packed: differences from the shipped weights in 8 bits, compressed. The rival is a file that is larger by
exactly these bytes.
Both are judged from the scene's evaluation cameras in ../shared, or from views sampled with a seed of their
own. ``gains`` fits a gain and a shift for each channel, ``heads`` the two last layers, ``both`` both.

What was tuned is not bound by the manifest's rate, nor kept off where a picture shows little: a server that
has the source knows what its network does there.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.codec import EncodeConfig, decode
from exgs.codec.encoding.analysis_cache import AnalysisCache
from exgs.painter import Identity, Restorer, choose_restorer, draw
from exgs.painter.damage import Damage, Encoder, encoder
from exgs.painter.pairs import PairSettings, make_pairs
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.raster.quality import compare_pictures
from exgs.scene import Camera, Gaussians, generate_interior, read_cameras, read_scene, sample_views
from exgs.weights.tensors import require_torch

CAMERAS = Path(__file__).resolve().parents[2] / "shared" / "data" / "cameras"
INTERIOR_SPLATS, JUDGED_SEED, JUDGED_SIZE = 62_000, 777, (640, 360)
TEACHERS = PairSettings(size_px=256, views=30, pairs_per_view=1, seed=4242)
"""The views that the part is fitted to."""


def main() -> None:
    """Prints a table as it is found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("scenes", nargs="+")
    parser.add_argument("--ratios", type=float, nargs="+", default=[107.0, 200.0])
    parser.add_argument("--parts", nargs="+", choices=("gains", "heads", "both"), default=["both"])
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--views", type=int, default=8)
    parser.add_argument("--encodings", type=Path)
    args = parser.parse_args()
    require_torch(SystemExit)  # what needs it is imported where it is used: --help works without
    import torch

    torch.set_num_threads(1)
    print("| scene | file | bytes | PSNR dB | FLIP |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="exgs-") as folder:
        rasterizer = choose_rasterizer("cpu")
        cache = AnalysisCache(args.encodings or Path(folder), warn=print)
        desk = Desk(rasterizer, encoder(rasterizer, keep=args.encodings, cache=cache), args.steps, args.views)
        for name in args.scenes:
            for ratio in args.ratios:
                for row in compared(name, ratio, args.parts, desk):
                    print(row, flush=True)


@dataclass(frozen=True)
class Desk:
    """What every comparison needs."""

    rasterizer: Rasterizer
    make: Encoder
    steps: int
    views: int


def compared(name: str, ratio: float, parts: Sequence[str], desk: Desk) -> Iterator[str]:
    """The rows of one scene at one ratio."""
    from benchmarks.tuned_part import Tuned, tuned

    scene, cameras = opened(name, desk.views)
    clean = [desk.rasterizer.render(scene, [camera]).color[0] for camera in cameras]
    data = desk.make(scene, EncodeConfig(ratio=ratio))
    decoded = decode(data)

    def row(what: str, size: int, shown: Gaussians, restorer: Restorer) -> str:
        judged = [
            compare_pictures(picture, seen_by(restorer, shown, camera, desk.rasterizer))
            for picture, camera in zip(clean, cameras, strict=True)
        ]
        psnr, flip = (np.mean([getattr(q, measure) for q in judged]) for measure in ("psnr", "flip"))
        return f"| {Path(name).name} 1/{ratio:g} | {what} | {size:,} | {psnr:.2f} | {flip:.4f} |"

    shipped = choose_restorer("tiny")
    yield row("as it is", len(data), decoded, Identity())
    yield row("restored", len(data), decoded, shipped)
    teachers = make_pairs(
        "teacher", scene, [Damage("ugc", ratio=ratio)], TEACHERS, rasterizer=desk.rasterizer,
        make=lambda source, config: data,
    )  # fmt: skip
    for part in parts:
        began_s = time.process_time()
        packed = tuned(teachers, part, desk.steps)
        spent_s = time.process_time() - began_s
        size = len(data) + len(packed)
        yield row(f"restored, {part} tuned in {spent_s:.0f} s", size, decoded, Tuned(packed, part))
        larger = decode(desk.make(scene, EncodeConfig(max_bytes=size)))
        yield row("larger", size, larger, Identity())
        yield row("larger, restored", size, larger, shipped)


def seen_by(restorer: Restorer, scene: Gaussians, camera: Camera, rasterizer: Rasterizer) -> np.ndarray:
    """[H,W,3] what a viewer sees."""
    return restorer.restore(draw(rasterizer, restorer, scene, [camera])).color[0]


def opened(name: str, views: int) -> tuple[Gaussians, list[Camera]]:
    """A scene, and the cameras to judge it from."""
    if name.isdigit():
        scene = generate_interior(seed=int(name), count=INTERIOR_SPLATS)
    else:
        scene = read_scene(Path(name))
    file = CAMERAS / f"{Path(name).name.partition('.')[0]}.json"
    found = (
        read_cameras(file) if file.is_file() else sample_views(scene, 24, seed=JUDGED_SEED, size=JUDGED_SIZE)
    )
    return scene, found[:: max(1, len(found) // views)][:views]


if __name__ == "__main__":
    main()

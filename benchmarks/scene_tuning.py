"""Does tuning the restorer to a scene buy more picture than as many bytes of Gaussians?

    python -m benchmarks.scene_tuning SCENE|SEED ... [--ratios 107 200] [--parts both] [--steps 400]

Each scene (a file, or the seed of a generated interior) is encoded. A small part of ``tiny`` is then fitted
to renderings of the source from sampled views, of which every sixth is held back, and packed: differences
from the shipped weights in 8 bits, compressed. The rival is a file that is larger by exactly these bytes.
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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch
import zstandard
from torch import Tensor, nn

from exgs.codec import EncodeConfig, decode
from exgs.codec.encoding.analysis_cache import AnalysisCache
from exgs.painter import Identity, Pictures, Restored, Restorer, choose_restorer, draw, networks
from exgs.painter.crops import COVERED, TRIES, as_channels, held_back, pair_planes
from exgs.painter.damage import Damage, Encoder, encoder
from exgs.painter.export import rounded
from exgs.painter.losses import LossWeights, log_errors
from exgs.painter.networks import Painter, build
from exgs.painter.pairs import PairSettings, make_pairs
from exgs.painter.planes import planes, unplanes
from exgs.painter.shards import Pairs
from exgs.painter.shelf import open_weights
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.raster.quality import compare_pictures
from exgs.scene import Camera, Gaussians, generate_interior, read_cameras, read_scene, sample_views

CAMERAS = Path(__file__).resolve().parents[2] / "shared" / "data" / "cameras"
INTERIOR_SPLATS, JUDGED_SEED, JUDGED_SIZE = 62_000, 777, (640, 360)
TEACHERS = PairSettings(size_px=256, views=30, pairs_per_view=1, seed=4242)
"""The views that the part is fitted to."""
ENCODER_VIEWS, CROP_PX, BATCH, RATE = 24, 128, 6, 1e-3


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
    scene, cameras = opened(name, desk.views)
    clean = [desk.rasterizer.render(scene, [camera]).color[0] for camera in cameras]
    first = desk.make(scene, EncodeConfig(ratio=ratio, views=ENCODER_VIEWS))
    data = desk.make(scene, EncodeConfig(max_bytes=len(first), views=ENCODER_VIEWS))
    decoded = decode(data)  # of the second, which begins with the first one's fit, as its rival does

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
        larger = decode(desk.make(scene, EncodeConfig(max_bytes=size, views=ENCODER_VIEWS)))
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


class Part(nn.Module):
    """``tiny``, of which a small part can be fitted: ``values``, differences from the shipped weights."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.network = shipped_network().requires_grad_(False)
        self.values = nn.ParameterList()
        for name, layer in self.network.named_modules():
            if isinstance(layer, nn.Conv2d):
                if kind in ("gains", "both"):
                    gain, shift = (self._new((layer.out_channels, 1, 1)) for _ in range(2))
                    layer.register_forward_hook(lambda _, __, out, g=gain, s=shift: out * (1 + g) + s)
                if kind in ("heads", "both") and name in ("residual", "gate"):
                    weight = self._new(layer.weight.shape)
                    layer.register_forward_hook(
                        lambda _, seen, out, w=weight: out + nn.functional.conv2d(seen[0], w)
                    )

    def _new(self, shape: Sequence[int]) -> nn.Parameter:
        self.values.append(nn.Parameter(torch.zeros(*shape)))
        return self.values[-1]

    def forward(self, seen: Tensor) -> Tensor:
        """As the network, with the fitted part."""
        return self.network(seen)


def shipped_network() -> Painter:
    """``tiny`` as it was shipped."""
    import safetensors.torch

    weights = open_weights("tiny")
    network = build(weights.manifest.document["architecture"])
    state = safetensors.torch.load(weights.read("safetensors"))
    network.load_state_dict({name: rounded(value) for name, value in state.items()})
    return network.eval()


@contextmanager
def everywhere() -> Iterator[None]:
    """Lets the network restore pictures that show little, too."""
    with mock.patch.object(networks, "surrounded", lambda seen: seen.new_ones(())):
        yield


def tuned(pairs: Pairs, kind: str, steps: int) -> bytes:
    """The fitted part, packed; nothing at all where it gains nothing on the views held back."""
    part, rng = Part(kind), np.random.default_rng(0)
    learnt = list(part.values)
    optimiser = torch.optim.Adam(learnt, lr=RATE)
    training, waiting = np.flatnonzero(~held_back(pairs)), np.flatnonzero(held_back(pairs))
    part.network.train()  # unclipped, so that what is clipped has gradients too
    with everywhere():
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = RATE * 0.5 * (1 + np.cos(np.pi * step / steps))
            chosen = [crop(pairs, int(rng.choice(training)), rng) for _ in range(BATCH)]
            seen, source = (torch.from_numpy(np.stack(arrays)) for arrays in zip(*chosen, strict=True))
            optimiser.zero_grad()
            given, few = part(seen)[:, :3], slice(0, BATCH // 3)  # FLIP takes longest
            loss = log_errors(given, source, LossWeights(flip=0.0)).mean()
            loss = loss + log_errors(given[few], source[few], LossWeights(squared=0.0)).mean()
            loss.backward()
            optimiser.step()
        packed = pack(learnt)
        part.network.eval()
        before, after = (held_back_error(given, pairs, waiting) for given in (None, Tuned(packed, kind)))
    return packed if after < before else b""


def crop(pairs: Pairs, pair: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Planes and clean colours of a part of a picture, mirrored or not."""
    picture = pairs.source[pairs.view[pair]]
    for _ in range(TRIES):
        top, left = (int(rng.integers(length - CROP_PX + 1)) for length in picture.shape[:2])
        window = np.s_[top : top + CROP_PX, left : left + CROP_PX]
        if picture[window][::4, ::4, 1].astype(bool).mean() >= COVERED:
            break
    seen, source = pair_planes(pairs, pair, window), as_channels(picture[window])
    step = 1 if rng.random() < 0.5 else -1
    return seen[:, :, ::step].copy(), source[:, :, ::step].copy()


def held_back_error(restorer: Tuned | None, pairs: Pairs, chosen: np.ndarray) -> float:
    """Mean of the logarithms of the errors on views that were not fitted to, restored or as they are."""
    found = []
    for pair in chosen:
        seen = torch.from_numpy(pair_planes(pairs, int(pair), np.s_[:, :])[None])
        source = torch.from_numpy(as_channels(pairs.source[pairs.view[pair]])[None])
        with torch.no_grad():
            given = seen if restorer is None else restorer.part(seen)
            found.append(float(log_errors(given[:, :3], source, LossWeights())))
    return float(np.mean(found))


def pack(values: Sequence[Tensor]) -> bytes:
    """Each tensor as a step (float32) and signed bytes, one after the other, compressed."""
    steps = [max(float(value.detach().abs().max()) / 127, 1e-12) for value in values]
    quantised = [
        torch.round(v.detach() / s).to(torch.int8).numpy() for v, s in zip(values, steps, strict=True)
    ]
    plain = np.array(steps, np.float32).tobytes() + b"".join(q.tobytes() for q in quantised)
    return zstandard.ZstdCompressor(level=19).compress(plain)


def unpack(packed: bytes, values: Sequence[Tensor]) -> None:
    """Undoes ``pack``, into ``values``."""
    plain = zstandard.ZstdDecompressor().decompress(packed)
    steps, at = np.frombuffer(plain, np.float32, len(values)), 4 * len(values)
    for value, step in zip(values, steps, strict=True):
        quantised = np.frombuffer(plain, np.int8, value.numel(), at).reshape(value.shape)
        value.data = torch.from_numpy(quantised.astype(np.float32) * step)
        at += value.numel()


class Tuned:
    """A restorer by the packed part: nothing is restored where that is empty."""

    name = "tuned"

    def __init__(self, packed: bytes, kind: str) -> None:
        self.part, self._empty = Part(kind).eval(), not packed
        if packed:
            unpack(packed, list(self.part.values))

    def wants_depth(self, splats_per_pixel: np.ndarray) -> bool:
        """Unless it does nothing."""
        return not self._empty

    def restore(self, pictures: Pictures) -> Restored:
        """As ``NetworkRestorer``, whatever the rate."""
        if self._empty or pictures.depth is None:
            return Restored(pictures.color, "off")
        height, width = pictures.depth.shape[1:]
        seen = planes(pictures.color, pictures.alpha, pictures.depth, pictures.splats_per_pixel)
        with torch.no_grad(), everywhere():
            given = self.part(torch.from_numpy(seen)).numpy()
        return Restored(unplanes(given, (width, height))[0], "restored")

    def forget(self) -> None:
        """Knows nothing."""


if __name__ == "__main__":
    main()

"""What a worker does with a job, here without a process of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest

from exgs import raster
from exgs.codec import Photographs
from exgs.codec.encoding import encoder
from exgs.codec.encoding.config import EncodeConfig
from exgs.feedforward import choose
from exgs.feedforward.coverage import Coverage
from exgs.feedforward.views import Views
from exgs.server import worker
from exgs.server.worker import Job
from exgs.weights import Manifest, Weights, WeightsError
from tests.feedforward.captures import (
    cameras_around,
    points_around,
    write_pictures,
    write_text,
    write_transforms,
)


def frames(output: bytes) -> Iterator[tuple[bytes, bytes]]:
    """What a worker sent, by its kinds."""
    while output:
        kind, length = worker.FRAME.unpack_from(output)
        end = worker.FRAME.size + length
        yield kind, output[worker.FRAME.size : end]
        output = output[end:]


@pytest.mark.parametrize("index", ["transforms.json", "sparse"])
def test_a_folder_of_views_is_reconstructed_and_then_encoded(
    tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []

    def reconstruct(
        views: Views, network: object, *, rasterizer: object, progress: Callable[[float], None]
    ) -> object:
        heard.append(len(views))
        progress(0.5)
        missing = np.zeros((len(views), 2, 5), bool)
        missing[4, 0, 0] = True
        return SimpleNamespace(gaussians="a cloud", coverage=Coverage(missing), went_on=(0, 2))

    def encode(
        gaussians: object,
        config: EncodeConfig,
        *,
        rasterizer: object,
        cameras: Photographs,
        progress: Callable[[str, float], None],
    ) -> object:
        heard.append((gaussians, len(cameras)))
        progress("merge", 0.5)
        return SimpleNamespace(data=b"coded")

    module = ModuleType("exgs.feedforward.reconstructing")
    module.reconstruct = reconstruct  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(encoder, "encode", encode)
    monkeypatch.setattr(raster, "choose_rasterizer", lambda *names: None)
    for name in ("open_weights", "choose_device", "load_network"):
        monkeypatch.setattr(choose, name, lambda *words: "cpu")
    write_transforms(tmp_path, cameras_around())
    if index == "sparse":
        (tmp_path / "transforms.json").unlink()
        write_text(tmp_path / "sparse" / "0", cameras_around(), points_around())
        write_pictures(tmp_path / "images", [f"im {number}.png" for number in range(5)])
    output = BytesIO()
    assert worker._encode(Job(tmp_path / index, EncodeConfig(ratio=20.0)), output) == b"coded"
    assert heard == [5, ("a cloud", 5)]
    shares = re.findall(rb"\d\.\d{4}", output.getvalue())
    assert shares == [b"0.0100", b"0.0200", b"0.0300", b"0.0400", b"0.0500", b"0.2500", b"0.7250"]
    said = [(kind, payload.decode()) for kind, payload in frames(output.getvalue()) if kind in b"NW"]
    assert said[-1] == (worker.WARNING, "1 of 5 views show what no anchor saw and stay empty there")
    assert said[-2][0] == worker.NOTE
    assert re.fullmatch(r"covers 98.0% of what the pictures show, 90.0% of .*4\.png", said[-2][1])
    assert {kind for kind, _ in said[:-2]} <= {worker.WARNING}


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("/srv/scenes/flat: 1 views", "flat: 1 views"),
        ("/srv/scenes/flat/sparse/0/cameras.bin: ends", "sparse/0/cameras.bin: ends"),
        (f"{choose.SHELF}/small/model.safetensors: no such file", "small/model.safetensors: no such file"),
    ],
)
def test_viewers_hear_of_no_folder_of_the_server(said: str, heard: str) -> None:
    assert worker._without_paths(said, Path("/srv/scenes/flat/sparse")) == heard


def test_the_networks_checksum_is_that_of_its_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = Manifest("small", {"safetensors": "ab" * 32})
    monkeypatch.setattr(choose, "open_weights", lambda name: Weights(Path(name), manifest))
    assert worker.network_checksum() == "ab" * 32


def test_without_weights_there_is_no_checksum(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_came(name: str) -> None:
        raise WeightsError(name)

    monkeypatch.setattr(choose, "open_weights", none_came)
    assert worker.network_checksum() == ""

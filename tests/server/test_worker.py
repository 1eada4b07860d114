"""What a worker does with a job, here without a process of its own."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from exgs import raster
from exgs.codec.encoding import encoder
from exgs.codec.encoding.config import EncodeConfig
from exgs.feedforward import choose
from exgs.feedforward.views import Views
from exgs.server import worker
from exgs.server.worker import Job
from tests.feedforward.captures import (
    cameras_around,
    points_around,
    write_pictures,
    write_text,
    write_transforms,
)


@pytest.mark.parametrize("index", ["transforms.json", "sparse"])
def test_a_folder_of_views_is_reconstructed_and_then_encoded(
    tmp_path: Path, index: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[object] = []

    def reconstruct(
        views: Views, network: object, *, device: str, progress: Callable[[float], None]
    ) -> object:
        heard.append(len(views))
        progress(0.5)
        return SimpleNamespace(gaussians="a cloud")

    def encode(
        gaussians: object, config: EncodeConfig, *, rasterizer: object, progress: Callable[[str, float], None]
    ) -> object:
        heard.append(gaussians)
        progress("merge", 0.5)
        return SimpleNamespace(data=b"coded")

    module = ModuleType("exgs.feedforward.reconstructing")
    module.reconstruct = reconstruct  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(encoder, "encode", encode)
    monkeypatch.setattr(raster, "choose_rasterizer", lambda: None)
    for name in ("open_weights", "choose_device", "load_network"):
        monkeypatch.setattr(choose, name, lambda *words: "cpu")
    write_transforms(tmp_path, cameras_around())
    if index == "sparse":
        (tmp_path / "transforms.json").unlink()
        write_text(tmp_path / "sparse" / "0", cameras_around(), points_around())
        write_pictures(tmp_path / "images", [f"im {number}.png" for number in range(5)])
    output = BytesIO()
    assert worker._encode(Job(tmp_path / index, EncodeConfig(ratio=20.0)), output) == b"coded"
    assert heard == [5, "a cloud"]
    assert re.findall(rb"\d\.\d{4}", output.getvalue()) == [b"0.1500", b"0.6500"]

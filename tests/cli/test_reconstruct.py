"""``exgs reconstruct``: the flags, the order of mistakes, what is written and said."""

from __future__ import annotations

import importlib.util
import json
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from exgs.codec import EncodeError, Photographs
from exgs.codec.encoding import encoder, refining
from exgs.codec.encoding.config import EncodeConfig
from exgs.feedforward import choose
from exgs.feedforward.anchors import Anchors, choose_anchors
from exgs.feedforward.coverage import Coverage
from exgs.feedforward.views import Views
from exgs.raster import Rasterizer
from exgs.scene import Gaussians, read_scene, to_frame
from tests.cli.conftest import ball
from tests.feedforward.captures import cameras_around, points_around, write_pictures, write_text

Command = Callable[..., tuple[int, str, str]]


@dataclass
class Made:
    """What the stand-in gives, as ``Reconstruction`` has it."""

    gaussians: Gaussians
    anchors: Anchors | None
    coverage: Coverage
    seconds: float = 1.25
    peak_bytes: int = 7_000_000

    @property
    def went_on(self) -> tuple[int, ...] | None:
        return None if self.anchors is None else self.anchors.indices


@pytest.fixture
def views_path(tmp_path: Path) -> Path:
    folder = tmp_path / "views"
    write_text(folder / "sparse" / "0", cameras_around(), points_around())
    write_pictures(folder / "images", [f"im {number}.png" for number in range(5)])
    return folder


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Puts a stand-in where the network would be; what it was called with."""
    heard: list[dict[str, Any]] = []

    def reconstruct(
        views: Views, network: object, *, rasterizer: Rasterizer, anchors: Any, progress: Any, clock: Any
    ) -> Made:
        assert clock() <= clock() and rasterizer.name == "cpu"
        heard.append({"views": views, "network": network, "anchors": anchors})
        progress(1.0)
        count = 2 if anchors == "auto" else anchors
        gaussians = to_frame(ball(600), views.frame)
        missing = np.zeros((len(views), 2, 5), bool)
        missing[len(views) - 1, 0, 0] = anchors != 3  # the last view, of which a tenth is not seen
        chosen = None if anchors is None else choose_anchors(views.centres[: len(views) - 1], count)
        return Made(gaussians, chosen, Coverage(missing))

    module = ModuleType("exgs.feedforward.reconstructing")
    module.reconstruct = reconstruct  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(choose, "open_weights", lambda name: name)
    monkeypatch.setattr(choose, "choose_device", lambda name: f"the {name} one")
    monkeypatch.setattr(choose, "load_network", lambda weights, device: (weights, device))
    return heard


def test_pictures_become_a_scene(
    exgs: Command, views_path: Path, tmp_path: Path, calls: list[dict[str, Any]]
) -> None:
    out = tmp_path / "room.ply"
    code, said, told = exgs("reconstruct", views_path, out)
    assert code == 0, told
    assert len(read_scene(out)) == 600
    assert "5 of 24 x 16, 2 anchors" in said
    assert "1.25 s on the auto one, 7.00 MB at the peak" in said
    assert re.search(r"^covered +98.0% of what the pictures show, 90.0% of im 4.png$", said, re.MULTILINE)
    assert (
        "note: 1 of 5 views show what no anchor saw and stay empty there; more --anchors cover more" in told
    )
    words = [line.split(":")[0] for line in told.splitlines()]
    assert words == ["find", "read", "reconstruct", "note", "write"]
    (call,) = calls
    assert call["anchors"] == "auto"
    assert call["network"] == ("small", "the auto one")


@pytest.mark.usefixtures("calls")
def test_pictures_become_a_stream(
    exgs: Command, views_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    thorough = encoder.encode

    def encode(gaussians: Gaussians, config: EncodeConfig, **more: Any) -> Any:
        return thorough(gaussians, replace(config, views=8, refit=False), **more)

    monkeypatch.setattr(encoder, "encode", encode)
    out = tmp_path / "room.ugc"
    code, said, told = exgs("reconstruct", views_path, out, "--ratio", 20, "--json", "--backend", "cpu")
    assert code == 0, told
    document = json.loads(said)
    assert document["encoding"]["ratio"] >= 20
    assert document["encoding"]["photographs"] == 5
    assert 0 < document["encoding"]["source_psnr"] < 30  # the stand-in knows nothing of the pictures
    assert document["output_bytes"] == out.stat().st_size == document["encoding"]["bytes"]
    assert document["phases"][0]["name"] == "find"
    assert {"read", "reconstruct", "write"} < {phase["name"] for phase in document["phases"]}
    code, said, _ = exgs("info", out)
    assert code == 0


def test_flags_reach_the_network(exgs: Command, views_path: Path, calls: list[dict[str, Any]]) -> None:
    flags = ("--anchors", 3, "--size", "12x12", "--most", 4, "--device", "cpu", "--weights", "mine", "--json")
    code, said, _ = exgs("reconstruct", views_path, "null", *flags)
    assert code == 0
    (call,) = calls
    assert call["anchors"] == 3
    assert call["views"].size == (12, 12)
    assert len(call["views"]) == 4
    assert call["network"] == ("mine", "the cpu one")
    document = json.loads(said)
    assert (document["anchors"], document["splats"], document["output_bytes"]) == (3, 600, 0)
    assert (document["covered"], document["uncovered_views"]) == ([1.0] * 4, [])
    assert document["notes"] == ["4 of 5 views are used"]


@pytest.mark.usefixtures("calls")
def test_more_anchors_than_views_are_told_of(exgs: Command, views_path: Path) -> None:
    note = "--anchors 999: there are 5 views, each becomes an anchor"
    code, _, told = exgs("reconstruct", views_path, "null", "--anchors", 999)
    assert code == 0 and f"note: {note}" in told
    assert json.loads(exgs("reconstruct", views_path, "null", "--anchors", 999, "--json")[1])["notes"] == [
        note
    ]
    assert "--anchors" not in exgs("reconstruct", views_path, "null", "--anchors", 3)[2]


def test_what_is_written_as_it_is_may_be_refined(
    exgs: Command,
    views_path: Path,
    tmp_path: Path,
    calls: list[dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    heard: list[int] = []

    def refine(gaussians: Gaussians, taken: Photographs, *, rasterizer: Rasterizer) -> Gaussians:
        heard.append(len(taken))
        assert (taken.pictures == calls[0]["views"].pictures).all() and rasterizer.name == "cpu"
        return gaussians.select(slice(0, 500))

    monkeypatch.setattr(refining, "refine", refine)
    out = tmp_path / "room.ply"
    code, _, told = exgs("reconstruct", views_path, out, "--refine", "--backend", "cpu")
    assert code == 0, told
    assert heard == [5] and len(read_scene(out)) == 500
    assert "refine" in [line.split(":")[0] for line in told.splitlines()]


def test_off_lets_every_view_go_on(exgs: Command, views_path: Path, calls: list[dict[str, Any]]) -> None:
    code, said, told = exgs("reconstruct", views_path, "null", "--anchors", "off", "--most", 4)
    assert code == 0
    assert calls[0]["anchors"] is None
    assert "all go on" in said
    assert "note: 4 of 5 views are used" in told


def test_a_dry_run_encodes_where_a_size_is_named(
    exgs: Command, views_path: Path, calls: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def encode(gaussians: Gaussians, config: EncodeConfig, **more: object) -> None:
        raise EncodeError(f"{len(gaussians)} splats in {config.max_bytes} bytes")

    monkeypatch.setattr(encoder, "encode", encode)
    code, _, told = exgs("reconstruct", views_path, "null", "--max-bytes", "60kB", "--backend", "cpu")
    assert code == 1
    assert told.endswith("exgs: 600 splats in 60000 bytes\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("VIEWS", "OUT.ply", "--anchors", "0"), "expected a number, auto or off"),
        (("VIEWS", "OUT.ply", "--anchors", "many"), "expected a number, auto or off"),
        (("VIEWS", "OUT.ply", "--size", "12"), "expected WIDTHxHEIGHT"),
        (("VIEWS", "OUT.ply", "--most", "1"), "2 views or more"),
        (("VIEWS", "OUT.ply", "--ratio", "20"), "--ratio: only for a .ugc"),
        (("VIEWS", "OUT.ply", "--max-bytes", "1MB"), "--max-bytes: only for a .ugc"),
        (("VIEWS", "OUT.ply", "--effort", "best"), "--effort: only for a .ugc"),
        (
            ("VIEWS", "OUT.ply", "--refine", "--effort", "best"),
            "--effort: only for a .ugc; --refine always takes",
        ),
        (
            ("VIEWS", "OUT.ply", "--refine", "--ratio", "20"),
            "--ratio: only for a .ugc; --refine always takes",
        ),
        (("VIEWS", "OUT.ugc", "--ratio", "20", "--preset", "small"), "not allowed with"),
        (("VIEWS", "OUT.ugc", "--refine"), "--refine: a .ugc is fitted to the pictures in any case"),
        (("VIEWS", "null", "--ratio", "20", "--refine"), "--refine: a .ugc is fitted"),
        (("VIEWS", "OUT.obj"), "ends in .ply or .spz or .ugc"),
        (("VIEWS", "nowhere/OUT.ugc"), "no such folder"),
    ],
)
def test_wrong_usage_is_said(exgs: Command, views_path: Path, words: tuple[str, ...], said: str) -> None:
    names = {
        "VIEWS": str(views_path),
        "OUT.ply": str(views_path / "o.ply"),
        "OUT.ugc": str(views_path / "o.ugc"),
    }
    code, _, told = exgs("reconstruct", *(names.get(word, word) for word in words))
    assert code == 2
    assert said in told


def test_outputs_are_not_replaced_unasked(
    exgs: Command, views_path: Path, tmp_path: Path, calls: list[dict[str, Any]]
) -> None:
    for name in ("room.ply", "room.ugc"):
        out = tmp_path / name
        out.write_bytes(b"precious")
        code, _, told = exgs("reconstruct", views_path, out)
        assert code == 2 and "-w replaces it" in told
        assert out.read_bytes() == b"precious"
    assert exgs("reconstruct", views_path, tmp_path / "room.ply", "-w")[0] == 0
    assert len(read_scene(tmp_path / "room.ply")) == 600


def test_the_users_mistakes_are_told_before_a_missing_library(
    exgs: Command, views_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else find(name))
    out = tmp_path / "room.ply"
    assert "no such file or folder" in exgs("reconstruct", tmp_path / "nowhere", out)[2]
    assert "no views here" in exgs("reconstruct", tmp_path, out)[2]
    assert "expected one of small, base" in exgs("reconstruct", views_path, out, "--weights", "nowhere")[2]
    weights = tmp_path / "weights"
    weights.mkdir()
    (weights / "manifest.json").write_text(
        json.dumps({"version": 1, "name": "x", "sha256": {"safetensors": "0" * 64}})
    )
    code, said, told = exgs("reconstruct", views_path, out, "--weights", weights)
    assert (code, said) == (1, "")
    assert told.splitlines()[-1] == "exgs: torch: not installed: pip install 'exgs[train]'"
    assert not out.exists()


def test_views_that_show_nothing_make_no_scene(
    exgs: Command, views_path: Path, tmp_path: Path, calls: list[dict[str, Any]]
) -> None:
    module = sys.modules["exgs.feedforward.reconstructing"]
    none = Made(ball(4).select(slice(0, 0)), None, Coverage(np.ones((5, 2, 5), bool)))
    module.reconstruct = lambda *a, **k: none  # type: ignore[attr-defined]
    code, _, told = exgs("reconstruct", views_path, tmp_path / "room.ply")
    assert code == 1
    assert "nothing opaque came of these views" in told
    assert not (tmp_path / "room.ply").exists()

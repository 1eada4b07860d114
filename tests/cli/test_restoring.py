"""``--restore``: pictures are repaired, left alone, or the command says why it cannot."""

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from exgs.painter.shelf import shipped
from exgs.scene import Camera, write_cameras
from tests.cli.conftest import Command

HALF = Path(__file__).parents[1] / "painter" / "data" / "half"
"""A network that halves colours and adds a quarter of alpha and an eighth of relative disparity."""
Encoded = tuple[Path, dict[str, Any]]

needs_onnxruntime = pytest.mark.skipif(
    importlib.util.find_spec("onnxruntime") is None, reason="onnxruntime is not installed"
)


def picture(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened).astype(np.float64) / 255


@needs_onnxruntime
def test_render_restores(exgs: Command, encoded: Encoded, cameras_path: Path, tmp_path: Path) -> None:
    words = ("--cameras", cameras_path, "--view", "v0", "--size", "192x128", "--json")
    assert json.loads(exgs("render", encoded[0], tmp_path / "a.png", *words)[1])["restorer"] == "off"
    code, out, _ = exgs("render", encoded[0], tmp_path / "b.png", *words, "--restore", HALF)
    said = json.loads(out)
    assert code == 0 and (said["restorer"], said["restored"], said["rich"]) == ("half on cpu", 1, 0)
    before, after = picture(tmp_path / "a.png"), picture(tmp_path / "b.png")
    added = (after - before / 2)[56:72, 80:112]
    assert 0.25 + 0.125 * 0.2 < added.mean() < 0.25 + 0.125 * 0.3, (
        "alpha is 1 here, and depth about the median"
    )
    assert after[0, 0].max() == 0


@needs_onnxruntime
def test_what_is_rich_enough_is_left_alone(
    exgs: Command, scene_path: Path, cameras_path: Path, tmp_path: Path
) -> None:
    words = ("--cameras", cameras_path, "--view", "v0", "--size", "48x32")
    assert exgs("render", scene_path, tmp_path / "a.png", *words)[0] == 0
    code, out, _ = exgs("render", scene_path, tmp_path / "b.png", *words, "--restore", HALF)
    assert code == 0 and "0 of them by half on cpu; left alone 1 (splats enough in view)" in out
    assert np.array_equal(picture(tmp_path / "a.png"), picture(tmp_path / "b.png"))


@needs_onnxruntime
def test_what_hardly_has_holes_is_left_alone_and_said_so(
    exgs: Command, encoded: Encoded, tmp_path: Path
) -> None:
    close = Camera.looking(
        np.array([0, 0, -3.0]), np.zeros(3), np.array([0, -1.0, 0]), fov_y_rad=0.1, size=(192, 128), name="v0"
    )
    write_cameras(tmp_path / "close.json", [close])
    weights = shutil.copytree(HALF, tmp_path / "holes")
    manifest = json.loads((weights / "manifest.json").read_text())
    manifest["gate"]["holes"] = 1.0
    (weights / "manifest.json").write_text(json.dumps(manifest))
    words = ("render", encoded[0], "null", "--cameras", tmp_path / "close.json")
    code, out, _ = exgs(*words, "--restore", weights)
    assert code == 0 and "0 of them by half on cpu; left alone 1 (hardly any holes)" in out
    said = json.loads(exgs(*words, "--restore", weights, "--json")[1])
    assert [said[verdict] for verdict in ("restored", "rich", "whole", "unsure")] == [0, 0, 1, 0]


@needs_onnxruntime
def test_along_a_head_trace_pictures_recall_one_another(
    exgs: Command, encoded: Encoded, tmp_path: Path
) -> None:
    from exgs.scene import synthetic_head_trace, write_head_trace

    trace = tmp_path / "head.csv"
    write_head_trace(trace, synthetic_head_trace(seconds=2, rate_hz=30, seed=1))
    words = ("--head-trace", trace, "--seconds", "0.3", "--fps", "10", "--size", "64x48", "--stereo")
    for folder in ("a", "b"):
        assert exgs("render", encoded[0], tmp_path / folder, *words, "--restore", HALF)[0] == 0
    for path in (tmp_path / "a").glob("*.png"):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()


def test_weights_that_cannot_be_used_are_an_error_in_one_line(
    exgs: Command, encoded: Encoded, cameras_path: Path, tmp_path: Path
) -> None:
    (tmp_path / "manifest.json").write_text("{}")
    target = tmp_path / "x.png"
    for mode, says in ((tmp_path / "nowhere", "nowhere"), (tmp_path, "version None")):
        code, _, err = exgs(
            "render", encoded[0], target, "--cameras", cameras_path, "--view", "v0", "--restore", mode
        )
        assert code == 1 and says in err and len(err.splitlines()) == 1
        assert not target.exists()


@pytest.mark.skipif("tiny" in shipped(), reason="there are weights")
def test_auto_without_weights_says_so_and_goes_on(
    exgs: Command, encoded: Encoded, cameras_path: Path
) -> None:
    code, _, err = exgs("render", encoded[0], "null", "--cameras", cameras_path, "--restore", "auto")
    assert code == 0 and err.count("not restored: ") == 1


def test_auto_without_onnxruntime_says_so_and_goes_on(
    exgs: Command, encoded: Encoded, cameras_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("render", encoded[0], "null", "--cameras", cameras_path, "--restore")
    monkeypatch.setattr("exgs.painter.choose.onnx_problem", lambda: "onnxruntime is not installed: pip it")
    code, out, err = exgs(*words, "auto")
    assert code == 0 and err.count("not restored: onnxruntime is not installed: pip it\n") == 1
    assert "restored" not in out
    code, _, err = exgs(*words, HALF)
    assert code == 1 and err == "exgs: onnxruntime is not installed: pip it\n"


def test_an_engine_for_nothing_is_refused(exgs: Command, encoded: Encoded, cameras_path: Path) -> None:
    words = ("render", encoded[0], "null", "--cameras", cameras_path, "--restore-engine", "cpu")
    assert exgs(*words)[0] == 2

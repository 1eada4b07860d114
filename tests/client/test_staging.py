from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.staging import Staging
from exgs.painter.onnx_network import OnnxNetwork, onnx_problem
from exgs.painter.shelf import shipped
from exgs.scene import (
    Frame,
    SceneError,
    StartView,
    head_camera,
    starting_view,
    synthetic_head_trace,
    write_head_trace,
)
from exgs.weights import WeightsError
from tests.client.stage import PaintedRasterizer, some_gaussians

CONFIG = PlayConfig("http://nowhere", size=(64, 36))
HALF = Path(__file__).parents[1] / "painter" / "data" / "half"
"""Weights of a small network."""


def prepare(config: PlayConfig) -> Staging:
    return Staging.prepare(config, lambda text: None, rasterizer=PaintedRasterizer())


def test_without_a_trace_a_built_in_one_begins_at_a_sensible_place():
    staging = prepare(CONFIG)
    scene = some_gaussians(500)
    poses, optics = staging.place(scene, None)
    start = starting_view(scene)
    assert poses.pose_at(0.0)[:3, 3] == pytest.approx(start.position)
    assert not np.allclose(poses.pose_at(5.0), poses.pose_at(0.0))
    assert staging.seconds == 10
    assert optics.ipd is None


def test_the_start_that_the_file_names_is_taken():
    start = StartView(np.array([7.0, 8, 9]), np.zeros(3), 2.0)
    poses, optics = prepare(replace(CONFIG, stereo=True)).place(some_gaussians(500), start)
    assert poses.pose_at(0.0)[:3, 3] == pytest.approx([7, 8, 9])
    assert optics.ipd == pytest.approx(0.126)


def test_a_recorded_trace_says_how_long_unless_seconds_do(tmp_path: Path):
    path = tmp_path / "walk.csv"
    write_head_trace(path, synthetic_head_trace(seconds=3.0, seed=5))
    config = replace(CONFIG, head_trace=path)
    assert prepare(config).seconds == pytest.approx(3.0, abs=0.02)
    assert prepare(replace(config, seconds=1.5)).seconds == 1.5


def test_stereo_eyes_are_as_far_apart_as_the_unit_says():
    scene = replace(some_gaussians(500), frame=Frame("RDF", 0.1))
    for path in ("head", "orbit"):
        _, optics = prepare(replace(CONFIG, stereo=True, path=path)).place(scene, None)
        assert optics.ipd == pytest.approx(0.63)


def test_an_orbit_looks_at_the_object_all_the_way():
    poses, _ = prepare(replace(CONFIG, path="orbit")).place(some_gaussians(500), None)
    for time_s in range(0, 20, 3):
        camera = head_camera(poses.pose_at(time_s), size=(64, 36))
        middle = camera.camera_from_world @ (0, 0, 0, 1)
        assert middle[2] > 1
        assert abs(middle[:2]).max() < 0.2 * middle[2]


def test_a_trace_that_cannot_be_read_is_known_at_once(tmp_path: Path):
    with pytest.raises(SceneError, match=r"walk\.csv"):
        prepare(replace(CONFIG, head_trace=tmp_path / "walk.csv"))


def test_outputs_that_cannot_be_are_known_at_once(tmp_path: Path):
    for config, says in (
        (replace(CONFIG, out=tmp_path / "no" / "a.mp4"), "there is no folder"),
        (replace(CONFIG, stats=tmp_path / "no" / "a.csv"), "there is no folder"),
        (replace(CONFIG, out=tmp_path / "a.gif"), "expected a video"),
    ):
        with pytest.raises(ClientError, match=says):
            prepare(config)


def test_a_rasteriser_that_does_not_exist():
    with pytest.raises(ClientError, match="abacus"):
        Staging.prepare(replace(CONFIG, backend="abacus"), lambda text: None)


def test_the_decoder_and_the_rasteriser_are_tried_before_connecting():
    rasterizer = PaintedRasterizer()
    Staging.prepare(replace(CONFIG, stereo=True), lambda text: None, rasterizer=rasterizer)
    assert rasterizer.splats == [8]
    assert len(rasterizer.cameras[0]) == 2


def test_without_a_restorer_pictures_stay_as_they_are():
    easel = prepare(CONFIG).easel
    assert (easel.restorer.name, easel.restorer_off, easel.pacer) == ("off", "", None)


@pytest.mark.skipif(onnx_problem() is not None, reason="onnxruntime is not installed")
def test_a_restorer_by_name_works_whatever_it_takes_and_is_tried_before_connecting():
    easel = prepare(replace(CONFIG, restore=str(HALF))).easel
    assert easel.restorer.name == "half on cpu" and easel.pacer is None
    with pytest.raises(WeightsError, match="nowhere"):
        prepare(replace(CONFIG, restore="nowhere"))


@pytest.mark.skipif("tiny" not in shipped() or onnx_problem() is not None, reason="there are no weights")
def test_a_restorer_that_is_chosen_keeps_to_the_time_there_is():
    easel = prepare(replace(CONFIG, restore="auto")).easel
    assert easel.restorer.name == "tiny on cpu" and easel.restorer_off == ""
    assert easel.pacer is not None and not easel.pacer.resting


@pytest.mark.skipif("tiny" not in shipped() or onnx_problem() is not None, reason="there are no weights")
def test_the_network_has_run_at_the_size_of_the_pictures_before_there_is_one(monkeypatch: pytest.MonkeyPatch):
    asked, run = [], OnnxNetwork.run
    monkeypatch.setattr(
        OnnxNetwork, "run", lambda self, planes: asked.append(planes.shape) or run(self, planes)
    )
    prepare(replace(CONFIG, restore="auto", stereo=True, size=(96, 80)))
    assert (2, 7, 80, 96) in asked


def test_where_none_can_be_chosen_it_is_known_why(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("exgs.painter.choose.onnx_problem", lambda: "onnxruntime is not installed")
    easel = prepare(replace(CONFIG, restore="auto")).easel
    assert (easel.restorer.name, easel.restorer_off) == ("off", "onnxruntime is not installed")
    assert easel.pacer is None

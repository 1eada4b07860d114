"""A small scene on disk, encoded once for all tests of the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exgs.cli.main import run
from exgs.scene import Camera, Gaussians, write_cameras, write_scene

Command = Callable[..., tuple[int, str, str]]


def ball(count: int = 4000, seed: int = 5) -> Gaussians:
    """Gaussians on a sphere of radius 1, coloured by place, at SH degree 1."""
    rng = np.random.default_rng(seed)
    means = rng.normal(size=(count, 3))
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    return Gaussians(
        means.astype(np.float32),
        rng.normal(size=(count, 4)).astype(np.float32),
        rng.uniform(-3.6, -3.0, size=(count, 3)).astype(np.float32),
        rng.uniform(1, 4, size=count).astype(np.float32),
        (means[:, None] * 1.2).astype(np.float32),
        (0.1 * rng.normal(size=(count, 3, 3))).astype(np.float32),
    )


@pytest.fixture
def exgs(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command line; gives exit code, standard output and standard error."""

    def call(*words: object) -> tuple[int, str, str]:
        capsys.readouterr()
        try:
            code = run([str(word) for word in words])
        except SystemExit as stop:
            code = int(stop.code or 0)
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


@pytest.fixture(scope="session")
def scene_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scene") / "ball.ply"
    write_scene(path, ball())
    return path


@pytest.fixture(scope="session")
def cameras_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("cameras") / "cameras.json"
    eyes = [(0.0, 0.0, -3.0), (3.0, 0.5, 0.0), (-2.0, -1.0, 2.0)]
    up = np.array([0, -1.0, 0])
    cameras = [
        Camera.looking(np.array(eye), np.zeros(3), up, fov_y_rad=0.9, size=(96, 64), name=f"v{index}")
        for index, eye in enumerate(eyes)
    ]
    write_cameras(path, cameras)
    return path


@pytest.fixture(scope="session")
def encoded(scene_path: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """The ball at a tenth of its size, and what ``exgs encode --json`` said of it."""
    import contextlib
    import io

    path = tmp_path_factory.mktemp("encoded") / "ball.ugc"
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        words = ["--ratio", "10", "--views", "12", "--effort", "fast", "--json"]
        assert run(["encode", str(scene_path), str(path), *words]) == 0
    return path, json.loads(said.getvalue())

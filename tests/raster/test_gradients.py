"""Gradients: the twin's against differences of its pictures, the CPU's against the twin's."""

from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from exgs.raster import twin
from exgs.raster.cpu import CpuRasterizer
from exgs.raster.seam import Gradients, Pull
from exgs.raster.twin import TwinRasterizer
from exgs.scene import Camera, Gaussians
from tests.raster.scenes import camera, cloud


@pytest.fixture(scope="module")
def cpu() -> CpuRasterizer:
    return CpuRasterizer(threads=2)


def pull_towards(size: tuple[int, int], seed: int = 0) -> Pull:
    """The gradient of half the squared distance to a picture of noise."""
    target = np.random.default_rng(seed).uniform(0, 1, (4, size[1], size[0], 3)).astype(np.float32)
    return lambda view, picture: picture - target[view]


def turned(scene: Gaussians, turns: np.ndarray) -> Gaussians:
    w, v = scene.quats[:, :1], scene.quats[:, 1:]
    quats = np.concatenate(
        [w - (v * turns).sum(1, keepdims=True) / 2, v + (w * turns + np.cross(v, turns)) / 2], 1
    )
    return replace(scene, quats=quats.astype(np.float32))


def moved(scene: Gaussians, name: str, change: np.ndarray) -> Gaussians:
    """The scene with ``change`` added to what the gradients call ``name``."""
    change = change.astype(np.float32)
    if name == "turns":
        return turned(scene, change)
    if name == "harmonics":
        return replace(scene, sh0=scene.sh0 + change[:, :1], shN=scene.shN + change[:, 1:])
    return replace(scene, **{name: getattr(scene, name) + change})


def loss(scene: Gaussians, view: Camera, pull: Pull) -> float:
    picture = TwinRasterizer().render(scene, [view]).color[0]
    return float(np.square(pull(0, picture).astype(np.float64)).sum() / 2)


@pytest.mark.parametrize("name", [field.name for field in fields(Gradients)])
def test_the_twins_gradients_are_differences_of_its_pictures(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the cuts, which no gradient can see: along a few random directions."""
    monkeypatch.setattr(twin, "SMALLEST_ALPHA", 1e-9)
    monkeypatch.setattr(twin, "LARGEST_ALPHA", 1.0)
    monkeypatch.setattr(twin, "OPAQUE", 0.0)
    size, random = (32, 24), np.random.default_rng(3)
    scene, view, pull = cloud(12, seed=4, sh_degree=1, size=0.25), camera(size), pull_towards(size)
    scene.opacity_logits[:] = np.minimum(scene.opacity_logits, 2)
    scene.sh0[:] = np.abs(scene.sh0) + 1  # no channel is cut at black
    if name == "means":
        scene = scene.with_sh_degree(0)  # the gradients hold directions fixed
    gradient = getattr(TwinRasterizer().gradients(scene, [view], pull), name)
    for _ in range(3):
        step = random.standard_normal(gradient.shape)
        step *= 2e-3 if name != "means" else 2e-4
        ahead, back = (loss(moved(scene, name, sign * step), view, pull) for sign in (1, -1))
        assert (ahead - back) / 2 == pytest.approx(float((gradient * step).sum()), rel=0.01, abs=2e-4)


@pytest.mark.parametrize("degree", range(4))
@pytest.mark.parametrize("away", [3.0, 0.4])
def test_gradients_agree_with_the_twin(cpu: CpuRasterizer, degree: int, away: float) -> None:
    size = (50, 37)
    scene, pull = cloud(250, seed=degree, sh_degree=degree), pull_towards(size)
    cameras = [camera(size, away=away), camera(size, away=away, angle_rad=2.0)]
    found, wanted = (backend.gradients(scene, cameras, pull) for backend in (cpu, TwinRasterizer()))
    for field in fields(Gradients):
        a, b = getattr(found, field.name), getattr(wanted, field.name)
        assert a.shape == b.shape and a.dtype == np.float32 and b.any()
        error = np.abs(a - b)
        scale = np.abs(b).max()
        assert np.median(error) <= 1e-5 * scale and np.quantile(error, 0.98) <= 1e-3 * scale, field.name
        assert np.linalg.norm(a - b) <= 2e-3 * np.linalg.norm(b), field.name


@pytest.mark.parametrize("make", [lambda: CpuRasterizer(threads=2), TwinRasterizer])
def test_a_picture_of_no_slope_pulls_nothing(make: Callable[[], CpuRasterizer]) -> None:
    found = make().gradients(cloud(30), [camera((20, 15))], lambda _, picture: np.zeros_like(picture))
    assert not any(getattr(found, field.name).any() for field in fields(found))


def test_gradients_do_not_depend_on_the_number_of_threads() -> None:
    scene, pull = cloud(20000, seed=7, sh_degree=1, size=0.03), pull_towards((150, 100))
    results = [CpuRasterizer(threads=n).gradients(scene, [camera((150, 100))], pull) for n in (1, 2, 3)]
    for found in results[1:]:
        for field in fields(Gradients):
            np.testing.assert_array_equal(getattr(found, field.name), getattr(results[0], field.name))


def test_slices_of_depth_give_the_same_gradients(cpu: CpuRasterizer, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, pull = cloud(1500, seed=8), pull_towards((72, 56))
    whole = cpu.gradients(scene, [camera()], pull)
    for module in ("cpu_view", "cpu"):
        monkeypatch.setattr(f"exgs.raster.{module}.MAX_LISTED", 1000)
    sliced = cpu.gradients(scene, [camera()], pull)
    for field in fields(Gradients):
        a, b = getattr(sliced, field.name), getattr(whole, field.name)
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * np.abs(b).max())


@pytest.mark.parametrize("name", ["means", "quats", "log_scales", "opacity_logits", "sh0", "shN"])
def test_hostile_values_spoil_no_gradient(cpu: CpuRasterizer, name: str) -> None:
    for value in (np.nan, np.inf, -np.inf, 3e38, 80.0, -80.0, 0.0):
        scene = cloud(60, seed=3, sh_degree=1)
        getattr(scene, name)[10:20] = value
        found = cpu.gradients(scene, [camera(), camera(away=0.1)], pull_towards((72, 56)))
        for field in fields(found):
            assert np.isfinite(getattr(found, field.name)).all(), f"{name} {value}: {field.name}"


def test_a_gradient_of_the_wrong_shape_is_refused(cpu: CpuRasterizer) -> None:
    with pytest.raises(ValueError, match="expected an array of shape"):
        cpu.gradients(cloud(5), [camera()], lambda _, picture: picture[1:])


def test_an_empty_scene_has_no_gradients(cpu: CpuRasterizer) -> None:
    found = cpu.gradients(Gaussians.empty(1), [camera((20, 10))], lambda _, picture: picture)
    assert found.means.shape == (0, 3) and found.harmonics.shape == (0, 4, 3)

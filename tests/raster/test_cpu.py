"""The CPU rasteriser against its twin, and against itself."""

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from exgs.raster import cpu_view, view_colors
from exgs.raster.cpu import CpuRasterizer
from exgs.raster.cpu_view import Lists, View, Workspace
from exgs.raster.crew import Crew
from exgs.raster.twin import TwinRasterizer
from exgs.scene import Gaussians
from tests.raster.scenes import camera, cloud

CLOSE = 1e-4


@pytest.fixture(scope="module")
def cpu() -> CpuRasterizer:
    return CpuRasterizer(threads=2)


def assert_close(found: np.ndarray, wanted: np.ndarray, *, tolerance: float = CLOSE) -> None:
    """All but a few within the tolerance: a rounding at the alpha cut may move one pixel by 1/255."""
    error = np.abs(found - wanted)
    assert np.count_nonzero(error > tolerance) <= 3 and error.max(initial=0) <= 1 / 200


@pytest.mark.parametrize("degree", range(4))
@pytest.mark.parametrize("size", [(72, 56), (37, 1), (1, 1)])
@pytest.mark.parametrize("away", [3.0, 0.2])
def test_pictures_agree_with_the_twin(
    cpu: CpuRasterizer, degree: int, size: tuple[int, int], away: float
) -> None:
    scene = cloud(400, seed=degree, sh_degree=degree)
    cameras = [camera(size, away=away), camera(size, away=away, angle_rad=2.0)]
    found = cpu.render(scene, cameras, depth=True, weights=True)
    wanted = TwinRasterizer().render(scene, cameras, depth=True, weights=True)
    assert found.color.shape == (2, size[1], size[0], 3) and found.color.dtype == np.float32
    assert_close(found.color, wanted.color)
    assert_close(found.alpha, wanted.alpha)
    assert found.depth is not None and wanted.depth is not None
    assert_close(found.depth, wanted.depth)
    assert found.weight_max is not None and wanted.weight_max is not None
    assert_close(found.weight_max, wanted.weight_max)
    assert found.weight_sum is not None and wanted.weight_sum is not None
    np.testing.assert_allclose(found.weight_sum, wanted.weight_sum, rtol=1e-4, atol=5e-3)


def test_needles_and_discs_agree_with_the_twin(cpu: CpuRasterizer) -> None:
    scene = cloud(200, seed=9)
    scene.log_scales[:, 0] += 3
    scene.log_scales[:, 2] -= 4
    found, wanted = (backend.render(scene, [camera()]) for backend in (cpu, TwinRasterizer()))
    assert_close(found.color, wanted.color)


def test_weights_of_a_pixel_sum_to_its_alpha(cpu: CpuRasterizer) -> None:
    rendering = cpu.render(cloud(500), [camera((50, 30))], weights=True)
    assert rendering.weight_sum is not None
    assert rendering.weight_sum.sum() == pytest.approx(rendering.alpha.sum(), rel=1e-5)


@pytest.mark.parametrize("angle_rad", [0.0, 1.0])
def test_shares_agree_with_the_twin(cpu: CpuRasterizer, angle_rad: float) -> None:
    scene, view = cloud(300, seed=4, sh_degree=1), camera((40, 33), angle_rad=angle_rad)
    told = np.random.default_rng(0).standard_normal((33, 40, 3)).astype(np.float32)
    parts, weights = cpu.share_out(scene, view, lambda picture: told * picture)
    wanted, wanted_weights = TwinRasterizer().share_out(scene, view, lambda picture: told * picture)
    assert_close(parts, wanted, tolerance=1e-3)
    np.testing.assert_allclose(weights, wanted_weights, rtol=1e-4, atol=5e-3)


@pytest.mark.parametrize("degree", [0, 3])
def test_sharing_out_is_the_adjoint_of_drawing(cpu: CpuRasterizer, degree: int) -> None:
    scene, view = cloud(3000, seed=5, size=0.02, sh_degree=degree), camera((130, 90))
    told = np.random.default_rng(1).standard_normal((90, 130, 3)).astype(np.float32)
    parts, weights = cpu.share_out(scene, view, lambda _: told)
    drawn = cpu.render(scene, [view], weights=True)
    colors = view_colors(scene, view).astype(np.float64)
    assert np.vdot(colors, parts) == pytest.approx(np.vdot(drawn.color[0].astype(np.float64), told), rel=1e-4)
    assert drawn.weight_sum is not None
    np.testing.assert_allclose(weights, drawn.weight_sum, rtol=1e-5, atol=1e-5)


def test_what_is_shared_out_is_told_by_the_picture(cpu: CpuRasterizer) -> None:
    scene, view, seen = cloud(800, seed=6, sh_degree=2), camera(), []
    cpu.share_out(scene, view, lambda picture: seen.append(picture.copy()) or picture)
    np.testing.assert_array_equal(seen[0], cpu.render(scene, [view]).color[0])


def test_results_do_not_depend_on_the_number_of_threads() -> None:
    scene, cameras = cloud(50000, seed=7, sh_degree=1, size=0.02), [camera((150, 100))]
    told = np.random.default_rng(2).standard_normal((100, 150, 3)).astype(np.float32)
    results = []
    for threads in (1, 2, 3):
        cpu = CpuRasterizer(threads=threads)
        rendering = cpu.render(scene, cameras, depth=True, weights=True)
        results.append((rendering, cpu.share_out(scene, cameras[0], lambda _: told)))
    for rendering, shares in results[1:]:
        first = results[0][0]
        for name in ("color", "alpha", "depth", "weight_sum", "weight_max"):
            np.testing.assert_array_equal(getattr(rendering, name), getattr(first, name))
        for found, first_found in zip(shares, results[0][1], strict=True):
            np.testing.assert_array_equal(found, first_found)


def test_depth_beside_them_does_not_change_pictures(cpu: CpuRasterizer) -> None:
    scene, cameras = cloud(800, seed=9, sh_degree=1), [camera((70, 45)), camera((70, 45), away=0.2)]
    alone, beside = cpu.render(scene, cameras), cpu.render(scene, cameras, depth=True)
    assert np.array_equal(alone.color, beside.color) and np.array_equal(alone.alpha, beside.alpha)


def test_slices_of_depth_give_the_same_pictures(cpu: CpuRasterizer, monkeypatch: pytest.MonkeyPatch) -> None:
    scene, cameras = cloud(1500, seed=8), [camera()]
    whole = cpu.render(scene, cameras, depth=True, weights=True)
    whole_parts, _ = cpu.share_out(scene, cameras[0], lambda picture: picture)
    monkeypatch.setattr(cpu_view, "MAX_LISTED", 1000)
    monkeypatch.setattr("exgs.raster.cpu.MAX_LISTED", 1000)
    sliced = cpu.render(scene, cameras, depth=True, weights=True)
    for name in ("color", "alpha", "depth", "weight_max"):
        np.testing.assert_allclose(getattr(sliced, name), getattr(whole, name), atol=1e-5)
    assert sliced.weight_sum is not None
    np.testing.assert_allclose(sliced.weight_sum, whole.weight_sum, rtol=1e-4, atol=1e-4)
    sliced_parts, _ = cpu.share_out(scene, cameras[0], lambda picture: picture)
    np.testing.assert_allclose(sliced_parts, whole_parts, rtol=1e-4, atol=1e-4)


def test_slices_end_where_no_light_comes_through(cpu: CpuRasterizer, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = cloud(2000, seed=2)
    scene.log_scales[:] = 3
    scene.opacity_logits[:] = 3
    listed: list[tuple[int, int]] = []

    def count(crew: Crew, view: View, span: tuple[int, int], workspace: Workspace) -> Lists:
        listed.append(span)
        return cpu_view.list_tiles(crew, view, span, workspace)

    monkeypatch.setattr(cpu_view, "MAX_LISTED", 1000)
    monkeypatch.setattr("exgs.raster.cpu_pass.list_tiles", count)
    assert cpu.render(scene, [camera(away=30.0)]).alpha.min() > 0.999
    assert len(listed) < 5 and listed[-1][1] < 1000


def test_any_number_of_threads_may_draw_at_once(cpu: CpuRasterizer) -> None:
    scenes = [cloud(2000, seed=seed) for seed in range(4)]
    wanted = [cpu.render(scene, [camera()]).color for scene in scenes]
    barrier = threading.Barrier(4)

    def draw(index: int) -> bool:
        barrier.wait()
        drawn = [cpu.render(scenes[index], [camera()]).color for _ in range(5)]
        return all(np.array_equal(color, wanted[index]) for color in drawn)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(draw, range(4)))


def test_an_empty_scene_is_black(cpu: CpuRasterizer) -> None:
    rendering = cpu.render(Gaussians.empty(2), [camera((20, 10))], depth=True, weights=True)
    assert not rendering.color.any() and not rendering.alpha.any()
    assert rendering.depth is not None and not rendering.depth.any()
    assert rendering.weight_sum is not None and rendering.weight_sum.shape == (0,)
    parts, weights = cpu.share_out(Gaussians.empty(), camera((20, 10)), np.ones_like)
    assert parts.shape == (0, 3) and weights.shape == (0,)


HOSTILE = {
    "means": [np.nan, np.inf, -np.inf, 3e38, 0.0],
    "quats": [np.nan, np.inf, 0.0, 1e30],
    "log_scales": [np.nan, np.inf, -np.inf, 80.0, -80.0, 20.0],
    "opacity_logits": [np.nan, np.inf, -np.inf, 100.0, -100.0],
    "sh0": [np.nan, np.inf, -np.inf, 3e38],
    "shN": [np.nan, np.inf, -np.inf, 3e38],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_values_spoil_no_picture(cpu: CpuRasterizer, name: str) -> None:
    for value in HOSTILE[name]:
        scene = cloud(60, seed=3, sh_degree=1)
        getattr(scene, name)[10:20] = value
        rendering = cpu.render(scene, [camera(), camera(away=0.1)], depth=True, weights=True)
        for array in (rendering.color, rendering.alpha, rendering.depth, rendering.weight_sum):
            assert array is not None and np.isfinite(array).all(), f"{name} {value}"
        parts, weights = cpu.share_out(scene, camera(), np.ones_like)
        assert np.isfinite(parts).all() and np.isfinite(weights).all()


@pytest.mark.parametrize("name", ["means", "quats", "log_scales", "opacity_logits", "sh0", "shN"])
def test_gaussians_that_are_not_numbers_are_skipped(cpu: CpuRasterizer, name: str) -> None:
    scene = cloud(60, seed=3, sh_degree=1)
    getattr(scene, name)[10:20] = np.nan
    rest = scene.select(np.r_[0:10, 20:60])
    assert np.array_equal(cpu.render(scene, [camera()]).color, cpu.render(rest, [camera()]).color)


def test_many_gaussians_that_fill_the_picture_end_soon(cpu: CpuRasterizer) -> None:
    scene = cloud(3000, seed=2)
    scene.log_scales[:] = 3
    scene.opacity_logits[:] = 6
    rendering = cpu.render(scene, [camera((320, 200), away=30)], weights=True)
    assert rendering.alpha.min() > 0.999


def test_pictures_of_two_sizes_are_refused(cpu: CpuRasterizer) -> None:
    with pytest.raises(ValueError, match="one picture size"):
        cpu.render(cloud(3), [camera((8, 8)), camera((8, 9))])
    with pytest.raises(ValueError, match="no cameras"):
        cpu.render(cloud(3), [])


def test_what_does_not_fit_the_picture_is_not_shared_out(cpu: CpuRasterizer) -> None:
    with pytest.raises(ValueError, match=r"\[8, 8, 3\]"):
        cpu.share_out(cloud(5), camera((8, 8)), lambda picture: picture[:, :-1])


def test_depth_beside_the_colours_changes_nothing_in_them(cpu: CpuRasterizer) -> None:
    """Two kernels, one with depth and one without, walk the same lists in the same order."""
    scene, views = cloud(2000, seed=8), [camera((90, 70))]
    plain, deep = cpu.render(scene, views), cpu.render(scene, views, depth=True)
    np.testing.assert_allclose(plain.color, deep.color, rtol=0, atol=1e-6)
    np.testing.assert_allclose(plain.alpha, deep.alpha, rtol=0, atol=1e-6)
    assert plain.depth is None and deep.depth is not None and plain.alpha.max() > 0.9

"""The refit finds colours that were taken away, and never makes left-out views worse."""

from dataclasses import replace

import numpy as np
import pytest
from clouds import cloud

from exgs.codec.encoding.fidelity import mean_psnr
from exgs.codec.encoding.left_out import HELD_OUT, held_apart
from exgs.codec.encoding.refit import refit_colors
from exgs.codec.encoding.survey import Survey, survey
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.scene import Gaussians, sample_views


@pytest.fixture(scope="module")
def cpu() -> Rasterizer:
    return choose_rasterizer("cpu")


@pytest.fixture(scope="module")
def scene() -> Gaussians:
    return cloud(300)


@pytest.fixture(scope="module")
def views(scene: Gaussians, cpu: Rasterizer) -> Survey:
    return survey(scene, sample_views(scene, 16, size=(80, 60)), cpu)


def test_lost_colours_come_back(scene: Gaussians, views: Survey, cpu: Rasterizer) -> None:
    grey = replace(scene, sh0=np.full_like(scene.sh0, 0.5))
    fitted = refit_colors(grey, views, cpu, degree=0)
    assert mean_psnr(fitted, views, cpu) > mean_psnr(grey, views, cpu) + 6.0


def test_harmonics_are_fitted_up_to_the_degree(scene: Gaussians, views: Survey, cpu: Rasterizer) -> None:
    plain = replace(scene, shN=np.zeros_like(scene.shN))
    constant = refit_colors(plain, views, cpu, degree=0)
    linear = refit_colors(plain, views, cpu, degree=1)
    assert not constant.shN.any() and linear.shN.any()
    assert mean_psnr(linear, views, cpu) > mean_psnr(constant, views, cpu) + 1.0


def test_harmonics_that_are_not_kept_do_not_change(scene: Gaussians, views: Survey, cpu: Rasterizer) -> None:
    plain = replace(scene, shN=np.zeros_like(scene.shN))
    kept = np.zeros((len(scene), 3), np.bool_)
    kept[:, 1] = True
    fitted = refit_colors(plain, views, cpu, degree=1, kept=kept)
    assert not fitted.shN[:, [0, 2]].any() and fitted.shN[:, 1].any()
    everything = refit_colors(plain, views, cpu, degree=1)
    assert mean_psnr(plain, views, cpu) < mean_psnr(fitted, views, cpu) < mean_psnr(everything, views, cpu)


def test_left_out_views_never_get_worse(scene: Gaussians, views: Survey, cpu: Rasterizer) -> None:
    """Pictures of nothing but noise: the fit must not follow them where that does not carry over."""
    noise = np.random.default_rng(2).normal(0.0, 0.2, views.pictures.shape).astype(np.float32)
    noisy = replace(views, pictures=views.pictures + noise)
    fitted = refit_colors(scene, noisy, cpu, degree=1)
    held_out = range(HELD_OUT - 1, len(views.cameras), HELD_OUT)

    def error(gaussians: Gaussians) -> float:
        pictures = [cpu.render(gaussians, [views.cameras[view]]).color[0] for view in held_out]
        return float(
            sum(np.square(p - noisy.pictures[v]).sum() for p, v in zip(pictures, held_out, strict=True))
        )

    assert error(fitted) <= error(scene) * 1.001


def test_what_no_view_sees_stays_as_it_was(scene: Gaussians, views: Survey, cpu: Rasterizer) -> None:
    hidden = scene.select(np.arange(len(scene)))
    hidden.opacity_logits[:5] = -9.0
    fitted = refit_colors(replace(hidden, sh0=hidden.sh0 * np.float32(0.5)), views, cpu, degree=0)
    np.testing.assert_allclose(fitted.sh0[:5], 0.5 * scene.sh0[:5], atol=1e-6)


def test_the_survey_sums_what_the_rasteriser_weighs(scene: Gaussians, views: Survey, cpu: Rasterizer) -> None:
    rendering = cpu.render(scene, views.cameras, weights=True)
    assert rendering.weight_sum is not None
    np.testing.assert_allclose(views.weight_sum, rendering.weight_sum, rtol=1e-4, atol=1e-4)
    assert (views.footprint >= 0).all() and views.footprint.any()
    thin = views.thinned(5)
    assert len(thin.cameras) == len(thin.pictures) == 5


def test_one_view_in_eight_is_left_out_and_of_few_the_middle_one() -> None:
    assert [held_apart(count)[1] for count in (1, 3, 4, 6, 7, 8, 16)] == [[], [], [2], [3], [3], [7], [7, 15]]
    for count in (3, 6, 20):
        fitted, held_out = held_apart(count)
        assert sorted(fitted + held_out) == list(range(count))

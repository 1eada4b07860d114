"""Fine-tuning brings lost shapes back, never hurts left-out views, and stays within its bounds."""

from collections.abc import Sequence
from dataclasses import fields, replace

import numpy as np
import pytest
from clouds import cloud

from exgs.codec.encoding.descent import GROWTH, LARGEST_LOGIT, SHRINKING
from exgs.codec.encoding.fidelity import mean_psnr
from exgs.codec.encoding.finetune import BATCH, finetune
from exgs.codec.encoding.left_out import FEWEST, HELD_OUT
from exgs.codec.encoding.survey import Survey, survey
from exgs.raster.cpu import CpuRasterizer
from exgs.raster.seam import Gradients, Pull
from exgs.scene import Camera, Gaussians, sample_views

ARRAYS = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")


@pytest.fixture(scope="module")
def cpu() -> CpuRasterizer:
    return CpuRasterizer(threads=2)


@pytest.fixture(scope="module")
def scene() -> Gaussians:
    return cloud(250)


@pytest.fixture(scope="module")
def views(scene: Gaussians, cpu: CpuRasterizer) -> Survey:
    return survey(scene, sample_views(scene, 16, size=(80, 60)), cpu)


def spoilt(scene: Gaussians, name: str, by: float) -> Gaussians:
    values = getattr(scene, name)
    noise = np.random.default_rng(5).normal(0.0, by, values.shape).astype(np.float32)
    return replace(scene, **{name: values + noise}).select(np.arange(len(scene)))  # nothing is shared


@pytest.mark.parametrize(
    ("name", "by"),
    [
        ("means", 0.03),
        ("quats", 0.3),
        ("log_scales", 0.3),
        ("opacity_logits", 0.5),
        ("sh0", 0.3),
        ("shN", 0.2),
    ],
)
def test_what_was_spoilt_comes_back(
    scene: Gaussians, views: Survey, cpu: CpuRasterizer, name: str, by: float
) -> None:
    start = spoilt(scene, name, by)
    tuned = finetune(start, views, cpu, degree=1, draws=150)
    assert mean_psnr(tuned, views, cpu) > mean_psnr(start, views, cpu) + 1.5


def test_left_out_views_never_get_worse(scene: Gaussians, views: Survey, cpu: CpuRasterizer) -> None:
    """Pictures of nothing but noise: what does not carry over is not taken."""
    noise = np.random.default_rng(2).normal(0.0, 0.5, views.pictures.shape).astype(np.float32)
    noisy = replace(views, pictures=noise)
    tuned = finetune(scene, noisy, cpu, degree=1, draws=40)
    held_out = slice(HELD_OUT - 1, None, HELD_OUT)
    judges = replace(noisy, cameras=noisy.cameras[held_out], pictures=noisy.pictures[held_out])
    assert mean_psnr(tuned, judges, cpu) >= mean_psnr(scene, judges, cpu) - 0.01
    perfect = finetune(scene, views, cpu, degree=1, draws=20)
    assert perfect is scene, "nothing is better than the source itself"


def test_without_views_to_leave_out_nothing_changes(
    scene: Gaussians, views: Survey, cpu: CpuRasterizer
) -> None:
    start = spoilt(scene, "means", 0.03)
    assert finetune(start, views.thinned(FEWEST - 1), cpu, degree=1, draws=8) is start
    assert finetune(Gaussians.empty(1), views, cpu, degree=1, draws=8).sh_degree == 1


def test_the_outcome_does_not_depend_on_the_number_of_threads(scene: Gaussians, views: Survey) -> None:
    start = spoilt(scene, "log_scales", 0.3)
    tuned = [finetune(start, views, CpuRasterizer(threads=n), degree=1, draws=30) for n in (1, 2, 3)]
    assert tuned[0] is not start
    for other in tuned[1:]:
        for name in ARRAYS:
            np.testing.assert_array_equal(getattr(other, name), getattr(tuned[0], name))


def test_what_is_not_free_or_not_seen_stays(scene: Gaussians, views: Survey, cpu: CpuRasterizer) -> None:
    start = spoilt(scene, "log_scales", 0.3)
    start.opacity_logits[5:10] = -9.0
    free = np.arange(len(start)) >= 5
    tuned = finetune(start, views, cpu, degree=0, free=free, draws=40)
    for name in ARRAYS:
        np.testing.assert_array_equal(getattr(tuned, name)[:10], getattr(start, name)[:10])
    assert (tuned.means[10:] != start.means[10:]).any()
    np.testing.assert_array_equal(tuned.shN, start.shN)  # beyond the degree


class Counting(CpuRasterizer):
    """Counts the pictures that gradients are taken of."""

    drawn = 0

    def gradients(self, gaussians: Gaussians, cameras: Sequence[Camera], pull: Pull) -> Gradients:
        assert len(cameras) <= BATCH
        self.drawn += len(cameras)
        return super().gradients(gaussians, cameras, pull)


def test_so_many_pictures_are_drawn_as_were_asked_for(scene: Gaussians, views: Survey) -> None:
    rasterizer = Counting(threads=1)
    finetune(scene, views, rasterizer, degree=1, draws=7)
    assert rasterizer.drawn == 7


def test_a_way_too_far_is_gone_in_part(
    scene: Gaussians, views: Survey, cpu: CpuRasterizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps twice as long as they should be: all of the way is worse than none of it, half of it is not."""
    start, judges = spoilt(scene, "sh0", 0.3), views.thinned(FEWEST)

    def overshot(descent: object, gradients: object, share: float) -> None:
        descent.gaussians = replace(start, sh0=start.sh0 + 2.2 * (scene.sh0 - start.sh0))  # type: ignore[attr-defined]

    monkeypatch.setattr("exgs.codec.encoding.finetune._Descent.step", overshot)
    tuned = finetune(start, views, cpu, degree=1, draws=2)
    np.testing.assert_allclose(tuned.sh0, start.sh0 + 1.1 * (scene.sh0 - start.sh0), atol=1e-5)
    np.testing.assert_array_equal(tuned.means, start.means)
    assert mean_psnr(tuned, judges, cpu) > mean_psnr(start, judges, cpu)


def test_sizes_and_opacities_stay_within_bounds(scene: Gaussians, views: Survey, cpu: CpuRasterizer) -> None:
    """White pictures pull everything as large and as opaque as it may become."""
    white = replace(views, pictures=np.ones_like(views.pictures))
    tuned = finetune(scene, white, cpu, degree=1, draws=400)
    change = tuned.log_scales - scene.log_scales
    assert tuned is not scene
    assert change.min() >= SHRINKING - 1e-4 and 0.9 * GROWTH < change.max() <= GROWTH + 1e-4
    assert tuned.opacity_logits.max() <= max(LARGEST_LOGIT, scene.opacity_logits.max())


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 80.0, -80.0])
def test_hostile_values_spoil_no_other_gaussian(
    scene: Gaussians, views: Survey, cpu: CpuRasterizer, value: float
) -> None:
    for name in ARRAYS:
        start = spoilt(scene, "log_scales", 0.3)
        getattr(start, name)[:3] = value
        tuned = finetune(start, views, cpu, degree=1, draws=6)
        for field in ARRAYS:
            assert np.isfinite(getattr(tuned, field)[3:]).all(), f"{name} {value}: {field}"


def test_gradients_name_all_that_a_step_takes() -> None:
    wanted = ["means", "turns", "log_scales", "opacity_logits", "harmonics"]
    assert [field.name for field in fields(Gradients)] == wanted

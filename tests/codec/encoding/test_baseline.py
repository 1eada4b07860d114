"""The published method: what is kept, and how it grows."""

import numpy as np

from exgs.codec.encoding.amplify import LARGEST, amplify
from exgs.codec.encoding.baseline import as_fp16, prune, sample_by_voxel
from exgs.codec.encoding.survey import Survey
from exgs.scene import Camera, Gaussians

CAMERA = Camera.looking(
    np.array([0.0, 0.0, -4.0]), np.zeros(3), np.array([0.0, -1.0, 0.0]), fov_y_rad=1.0, size=(64, 64)
)


def cloud(count: int) -> tuple[Gaussians, Survey]:
    random = np.random.default_rng(5)
    scene = Gaussians(
        random.uniform(-1.0, 1.0, (count, 3)).astype(np.float32),
        random.normal(size=(count, 4)).astype(np.float32),
        random.uniform(-4.0, -3.0, (count, 3)).astype(np.float32),
        random.normal(size=count).astype(np.float32),
        random.normal(size=(count, 1, 3)).astype(np.float32),
        random.normal(size=(count, 3, 3)).astype(np.float32),
    )
    weight = random.uniform(0.0, 1.0, count).astype(np.float32)
    pictures = np.zeros((1, 64, 64, 3), np.float32)
    return scene, Survey((CAMERA,), pictures, weight, np.full(count, 1e4, np.float32))


def test_significance_is_weight_per_pixel() -> None:
    _, views = cloud(10)
    np.testing.assert_allclose(views.significance, views.weight_sum / 4096)


def test_exactly_the_count_is_kept() -> None:
    scene, views = cloud(1000)
    for count in (1, 7, 130, 999, 1000):
        kept = sample_by_voxel(scene.means, views.significance, count)
        assert len(kept) == count == len(set(kept))


def test_no_occupied_region_is_left_empty() -> None:
    """A far corner whose Gaussians all score lowest keeps one of them, the best."""
    scene, views = cloud(1000)
    score = views.weight_sum.copy()
    corner = np.arange(20)
    scene.means[corner] += 6.0
    score[corner] *= 1e-6
    kept = sample_by_voxel(scene.means, score, 200)
    assert np.isin(kept, corner).any()
    assert score[corner].argmax() in kept


def test_the_best_of_each_voxel_stay() -> None:
    scene, views = cloud(1000)
    kept = sample_by_voxel(scene.means, views.significance, 300)
    mean_kept = views.weight_sum[kept].mean()
    assert mean_kept > 1.3 * views.weight_sum.mean()


def test_lonely_survivors_grow_and_none_shrinks() -> None:
    scene, views = cloud(1000)
    kept = sample_by_voxel(scene.means, views.significance, 50)
    grown = amplify(scene, kept, views).log_scales - scene.log_scales[kept]
    assert (grown >= 0).all() and grown.max() <= np.log(LARGEST) + 1e-6
    assert np.median(grown) > 0.1
    np.testing.assert_allclose(grown, grown[:, :1].repeat(3, axis=1), atol=1e-6)


def test_all_kept_means_none_grows() -> None:
    scene, views = cloud(100)
    grown = amplify(scene, np.arange(100), views)
    np.testing.assert_array_equal(grown.log_scales, scene.log_scales)


def test_pruned_scenes_hold_half_precision_and_no_harmonics() -> None:
    scene, views = cloud(300)
    sparse = prune(scene, views, 40, amplified=True)
    assert len(sparse) == 40 and sparse.sh_degree == 0
    again = as_fp16(sparse)
    for name in ("means", "quats", "log_scales", "opacity_logits", "sh0"):
        np.testing.assert_array_equal(getattr(again, name), getattr(sparse, name))

"""The measures of quality against their definitions and the referee's."""

import sys
from pathlib import Path

import numpy as np
import pytest

from exgs.raster.quality import compare_pictures, flip, psnr, ssim


@pytest.fixture
def pictures() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(0)
    reference = random.random((40, 50, 3), np.float32)
    return reference, reference + random.normal(0, 0.05, reference.shape).astype(np.float32)


def test_equal_pictures_are_perfect(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    quality = compare_pictures(pictures[0], pictures[0].copy())
    assert (quality.psnr, quality.ssim, quality.flip) == (100.0, pytest.approx(1.0), 0.0)


def test_psnr_of_a_known_error() -> None:
    assert psnr(np.full((4, 4, 3), 0.5), np.full((4, 4, 3), 0.6)) == pytest.approx(20.0, abs=1e-4)


def test_pictures_are_clipped_as_a_display_does() -> None:
    assert psnr(np.full((4, 4, 3), 1.0), np.full((4, 4, 3), 7.0)) == 100.0
    assert psnr(np.full((4, 4, 3), 0.0), np.full((4, 4, 3), -7.0)) == 100.0


def test_every_measure_falls_as_noise_grows(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    reference, noisy = pictures
    worse = reference + 3 * (noisy - reference)
    assert psnr(reference, worse) < psnr(reference, noisy)
    assert ssim(reference, worse) < ssim(reference, noisy)
    assert 0 < flip(reference, noisy) < flip(reference, worse) < 1


def test_flip_may_be_left_out(pictures: tuple[np.ndarray, np.ndarray]) -> None:
    assert compare_pictures(*pictures, flip=False).flip is None


def test_pictures_of_two_shapes_are_refused() -> None:
    with pytest.raises(ValueError, match="two pictures"):
        psnr(np.zeros((4, 4, 3)), np.zeros((4, 5, 3)))


@pytest.mark.shared
def test_measures_agree_with_the_referee(
    pictures: tuple[np.ndarray, np.ndarray], referee: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(referee), *sys.path])
    import referee as judge

    a, b = (np.clip(picture, 0, 1) for picture in pictures)
    assert psnr(*pictures) == pytest.approx(judge.psnr(a, b), abs=1e-3)
    assert ssim(*pictures) == pytest.approx(judge.ssim(a, b), abs=1e-4)

"""How close a picture comes to its reference: PSNR, SSIM and FLIP."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy  # its parts are loaded when they are first used

_SMALLEST_ERROR = 1e-10
_SSIM_SIGMA_PX = 1.5
_SSIM_C1, _SSIM_C2 = 0.01**2, 0.03**2


@dataclass(frozen=True)
class Quality:
    """What the three measures say of one picture."""

    psnr: float
    """Peak signal-to-noise ratio in dB, at most 100."""
    ssim: float
    """Structural similarity, 1 where the pictures agree."""
    flip: float | None
    """Mean FLIP error in [0, 1], 0 where the pictures agree; None where it was not asked for."""


def compare_pictures(reference: np.ndarray, test: np.ndarray, *, flip: bool = True) -> Quality:
    """``test`` [H,W,3] against ``reference`` [H,W,3]; ``flip=False`` leaves out the slowest measure."""
    return Quality(psnr(reference, test), ssim(reference, test), _flip(reference, test) if flip else None)


def psnr(reference: np.ndarray, test: np.ndarray) -> float:
    """Peak signal-to-noise ratio in dB of pictures [H,W,3] clipped to [0, 1]; 100 where they agree."""
    a, b = _displayed(reference, test)
    error = float(np.mean((a - b) ** 2, dtype=np.float64))
    return float(-10 * np.log10(max(error, _SMALLEST_ERROR)))


def ssim(reference: np.ndarray, test: np.ndarray) -> float:
    """Structural similarity of pictures [H,W,3] clipped to [0, 1], mean over pixels and channels.

    Source: Wang et al. 2004, with a Gaussian window of 1.5 px.
    """
    a, b = _displayed(reference, test)
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a = _blur(a * a) - mean_a * mean_a
    variance_b = _blur(b * b) - mean_b * mean_b
    covariance = _blur(a * b) - mean_a * mean_b
    above = (2 * mean_a * mean_b + _SSIM_C1) * (2 * covariance + _SSIM_C2)
    below = (mean_a**2 + mean_b**2 + _SSIM_C1) * (variance_a + variance_b + _SSIM_C2)
    return float(np.mean(above / below, dtype=np.float64))


def flip(reference: np.ndarray, test: np.ndarray) -> float:
    """Mean LDR-FLIP error of pictures [H,W,3] clipped to [0, 1], at the usual 67 pixels per degree.

    Values count as sRGB as they are: Gaussians are trained on display-referred pictures.
    Source: Andersson et al. 2020.
    """
    import flip_evaluator

    a, b = _displayed(reference, test)
    _, error, _ = flip_evaluator.evaluate(a, b, "LDR", inputsRGB=True, applyMagma=False)
    return float(error)


_flip = flip


def _blur(picture: np.ndarray) -> np.ndarray:
    return np.asarray(scipy.ndimage.gaussian_filter(picture, (_SSIM_SIGMA_PX, _SSIM_SIGMA_PX, 0)))


def _displayed(reference: np.ndarray, test: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both pictures as a display shows them: float32 in [0, 1]."""
    if reference.shape != test.shape or reference.ndim != 3 or reference.shape[2] != 3:
        raise ValueError(
            f"expected two pictures [H,W,3], found {list(reference.shape)} and {list(test.shape)}"
        )
    a, b = (np.ascontiguousarray(np.clip(picture, 0, 1), np.float32) for picture in (reference, test))
    return a, b

"""How much nearer restoring brings pictures to the clean ones."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from exgs.raster.quality import Quality


@dataclass(frozen=True)
class Gain:
    """Damaged and restored pictures of one kind against the clean ones; means over pictures."""

    pictures: int
    """How many there were."""
    psnr_before: float
    """Of the damaged pictures, in dB."""
    psnr_after: float
    """Of the restored ones, in dB."""
    flip_before: float
    """Mean FLIP error of the damaged pictures."""
    flip_after: float
    """Mean FLIP error of the restored ones."""
    ssim_before: float | None = None
    """Structural similarity of the damaged pictures; None where it was not taken."""
    ssim_after: float | None = None
    """That of the restored ones."""

    @property
    def psnr(self) -> float:
        """Decibels gained."""
        return self.psnr_after - self.psnr_before

    @property
    def flip(self) -> float:
        """Share of the FLIP error that is gone; negative where there is more."""
        return 1 - self.flip_after / max(self.flip_before, 1e-9)


def gain_of(before: Sequence[Quality], after: Sequence[Quality]) -> Gain:
    """The gain of pictures whose quality was ``before`` and is ``after``; FLIP was taken of all."""
    return Gain(
        len(before),
        _mean(q.psnr for q in before),
        _mean(q.psnr for q in after),
        _mean(q.flip or 0.0 for q in before),
        _mean(q.flip or 0.0 for q in after),
        _mean(q.ssim for q in before),
        _mean(q.ssim for q in after),
    )


def _mean(values: Iterable[float]) -> float:
    return float(np.mean(list(values)))

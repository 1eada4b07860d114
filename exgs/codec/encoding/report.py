"""What an encoding came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

TakenOver = Literal["", "analysis", "fit"]
"""What a cache had for an encoding: nothing, what had been found out of the scene, or besides that a fit for
another budget, which was carried over."""


@dataclass(frozen=True)
class Report:
    """Figures of one encoding. Seconds and memory are the caller's to measure, by the progress it is told."""

    method: str
    """``ugc`` or ``exgs``."""
    splats_in: int
    """Gaussians of the source."""
    splats_kept: int
    """Gaussians that the whole file shows: of all levels, those that no finer one replaces."""
    level_splats: tuple[int, ...]
    """Gaussians per level, finest first."""
    sh_degree_in: int
    """Degree of the source's spherical harmonics."""
    sh_degree: int
    """Degree kept."""
    unsound: int
    """Gaussians dropped because a value is not finite, or the rotation is none."""
    invisible: int
    """Gaussians dropped because their opacity is below 1/255: no rasteriser of this model draws them."""
    never_seen: int
    """Gaussians that no view saw: they go first when merging."""
    floaters: int
    """Gaussians dropped because they hang alone in space and show next to nothing."""
    taken_over: TakenOver
    """Out of a cache."""
    views: int
    """Viewpoints used."""
    views_given: bool
    """Whether they were given; otherwise they were sampled."""
    photographs: int
    """Photographs among them, which the file was fitted to and is judged by; 0 where none were given."""
    float_bytes: int
    """Size of the source as a float32 PLY of its own SH degree."""
    budget_bytes: int
    """Bytes that the file was allowed."""
    floored: bool
    """Whether the ratio asked for fewer, less than is allowed of any scene."""
    size_bytes: int
    """Bytes of the file."""
    fp16_bytes: int | None
    """Bytes by which ``exgs`` with FP16 storage counts, 28 a Gaussian; None otherwise."""
    section_bytes: dict[str, int]
    """Bytes per section of the file; they add up to ``size_bytes``."""
    precision_factor: float
    """Factor on the steps of quantising that suit the scene."""
    psnr_db: float
    """Mean PSNR over some of the views, of the decoded file against the source, or against photographs."""
    source_psnr_db: float | None
    """The same of the source against the photographs; None without them."""

    @property
    def ratio(self) -> float:
        """``float_bytes`` over ``size_bytes``."""
        return self.float_bytes / self.size_bytes


@dataclass(frozen=True, eq=False)
class Encoding:
    """A file and what it came to."""

    data: bytes
    """The .ugc file."""
    report: Report
    """Its figures."""

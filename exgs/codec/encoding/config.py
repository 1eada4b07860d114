"""What an encoding is asked to be."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from exgs.codec.encoding.effort import DEFAULT_EFFORT, EFFORTS, Effort
from exgs.codec.errors import EncodeError

PRESETS: Mapping[str, float] = MappingProxyType(
    {"tiny": 500.0, "small": 107.0, "medium": 50.0, "large": 20.0}
)
"""Named ratios: bytes of the source as a float32 PLY over bytes of the file."""
DEFAULT_PRESET = "small"
"""The preset where no size is named."""
LEAST_SHARE_BYTES = 512
"""A ratio, or a preset, allows so many bytes of however small a scene: what little a file of one Gaussian
takes is no share of its size."""
METHODS = ("ugc", "exgs")
"""Our method, and ExGS as published."""
STORAGES = ("fp16", "ugc")
"""By which ``exgs`` may count bytes."""
FEWEST_VIEWS, MOST_VIEWS = 2, 4096
"""Viewpoints that may judge a scene."""
MOST_LEVELS = 3
"""What the encoder makes; a file may hold more."""


@dataclass(frozen=True)
class EncodeConfig:
    """How to encode a scene. At most one of ``max_bytes``, ``ratio`` and ``preset`` is given.

    Raises:
        EncodeError: a value makes no sense, or two of them name different sizes.
    """

    method: Literal["ugc", "exgs"] = "ugc"
    """``ugc`` merges and refits; ``exgs`` prunes as ExGS describes it, the baseline."""
    max_bytes: int | None = None
    """Upper bound of the file's size."""
    ratio: float | None = None
    """Size of the source as a float32 PLY of its own SH degree over the size of the file."""
    preset: str | None = None
    """A named ratio; ``DEFAULT_PRESET`` where no size is named at all."""
    effort: str = DEFAULT_EFFORT
    """A name of ``EFFORTS``: how large and how many pictures all is fitted to, how often each is drawn."""
    views: int | None = None
    """Viewpoints that judge what is seen; at most so many of the given cameras are used. None: by
    effort and size."""
    seed: int = 0
    """Seed of the sampled viewpoints."""
    sh_degree: int | None = None
    """Highest degree of the spherical harmonics to keep, 0 to 3; None leaves the choice to the encoder."""
    levels: int = MOST_LEVELS
    """Most levels of detail to make, 1 to 3; small files have fewer."""
    refit: bool = True
    """Whether ``ugc`` fits what it merged to the pictures, colours first and then every value."""
    amplify: bool = True
    """Whether ``exgs`` enlarges what it keeps."""
    storage: Literal["fp16", "ugc"] = "fp16"
    """How ``exgs`` counts bytes: 28 per Gaussian as published, or by the size of the coded file."""

    def __post_init__(self) -> None:
        sizes = [self.max_bytes is not None, self.ratio is not None, self.preset is not None]
        if sum(sizes) > 1:
            raise EncodeError("more than one of max_bytes, ratio and preset: name one size")
        if self.method not in METHODS:
            raise EncodeError(f"method {self.method!r}: expected {' or '.join(METHODS)}")
        if self.storage not in STORAGES:
            raise EncodeError(f"storage {self.storage!r}: expected {' or '.join(STORAGES)}")
        if self.preset is not None and self.preset not in PRESETS:
            raise EncodeError(f"preset {self.preset!r}: expected one of {', '.join(PRESETS)}")
        if self.effort not in EFFORTS:
            raise EncodeError(f"effort {self.effort!r}: expected one of {', '.join(EFFORTS)}")
        if self.max_bytes is not None and self.max_bytes < 1:
            raise EncodeError(f"max_bytes {self.max_bytes}: expected a positive number")
        if self.ratio is not None and not (self.ratio > 0 and math.isfinite(self.ratio)):
            raise EncodeError(f"ratio {self.ratio}: expected a positive number")
        if self.views is not None and not FEWEST_VIEWS <= self.views <= MOST_VIEWS:
            raise EncodeError(f"{self.views} views: expected {FEWEST_VIEWS} to {MOST_VIEWS}")
        if self.sh_degree is not None and self.sh_degree not in range(4):
            raise EncodeError(f"SH degree {self.sh_degree}: expected 0 to 3")
        if not 1 <= self.levels <= MOST_LEVELS:
            raise EncodeError(f"{self.levels} levels: expected 1 to {MOST_LEVELS}")

    @property
    def bounds(self) -> Effort:
        """What the effort amounts to."""
        return EFFORTS[self.effort]

    def view_count(self, splats: int) -> int:
        """Viewpoints for a scene of so many Gaussians."""
        return self.bounds.view_count(splats) if self.views is None else self.views

    def budget_bytes(self, float_bytes: int) -> int:
        """Bytes that the file may take, for a source of ``float_bytes``."""
        if self.max_bytes is not None:
            return self.max_bytes
        return max(LEAST_SHARE_BYTES, self._share_bytes(float_bytes))

    def floored(self, float_bytes: int) -> bool:
        """Whether the share asked for is less than ``LEAST_SHARE_BYTES``, which are allowed instead."""
        return self.max_bytes is None and self._share_bytes(float_bytes) < LEAST_SHARE_BYTES

    def _share_bytes(self, float_bytes: int) -> int:
        ratio = self.ratio if self.ratio is not None else PRESETS[self.preset or DEFAULT_PRESET]
        return int(float_bytes / ratio)

"""The meta.json of a SOG scene: which pictures it names, and what their bytes stand for.

Version 1 stores values as bytes between bounds, version 2 as indices into a codebook of 256.
Source: developer.playcanvas.com, The SOG Format.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.formats.bundle import Bundle
from exgs.scene.formats.fields import Fields, parse_fields
from exgs.scene.formats.image import dimensions
from exgs.scene.formats.scene_file import check_expansion, logits
from exgs.scene.gaussians import SH_COEFFICIENTS

META = "meta.json"
MAX_META_BYTES = 1 << 20
MAX_LABELS = 1 << 16
MAX_PALETTE_BYTES = 8 << 20
PALETTE_COLUMNS = 64
"""Palette entries in a row of the centroids' picture."""

_BYTES = np.arange(256) / 255.0


@dataclass(frozen=True)
class Harmonics:
    """The palette of a scene, before it is read."""

    degree: int
    """1 to 3."""
    centroids: str
    """Name of the palette's picture."""
    labels: str
    """Name of the labels' picture."""
    values: np.ndarray
    """[256] float64 what a byte of the palette stands for."""
    count: int
    """Palette entries; a label from here on means no harmonics (version 2) or is an error (version 1)."""


@dataclass(frozen=True)
class Sog:
    """A checked meta.json and where its pictures are."""

    version: int
    """1 or 2."""
    count: int
    """Gaussians."""
    bundle: Bundle
    """Where the pictures are."""
    lows: np.ndarray
    """[3] float64 least mean, on the logarithmic scale."""
    highs: np.ndarray
    """[3] float64 greatest mean, on the logarithmic scale."""
    scales: np.ndarray
    """[3,256] float32 what a byte of a scale stands for."""
    colors: np.ndarray
    """[4,256] float32 what a byte of a colour (three) and of the opacity (logit) stands for."""
    pictures: tuple[str, str, str, str, str]
    """Names of the means' low and high bytes, rotations, scales, colours."""
    harmonics: Harmonics | None
    """Where the higher harmonics are, if there are any."""

    @property
    def sh_degree(self) -> int:
        """Degree of the harmonics, 0 to 3."""
        return self.harmonics.degree if self.harmonics else 0

    @property
    def files(self) -> list[str]:
        """Names of all files of the scene."""
        more = [self.harmonics.centroids, self.harmonics.labels] if self.harmonics else []
        return [META, *self.pictures, *more]


def parse_sog(bundle: Bundle, *, max_gaussians: int) -> Sog:
    """Reads and checks the meta.json of ``bundle``."""
    meta = parse_fields(bundle.read(META, most=MAX_META_BYTES), where=f"{bundle.where}: {META}")
    version = meta.whole("version", least=1, most=2) if "version" in meta.values else 1
    means = meta.section("means")
    count = (
        meta.whole("count", most=max_gaussians)
        if version == 2
        else means.first_whole("shape", most=max_gaussians)
    )
    pictures = (
        *means.names(count=2),
        *(meta.section(key).names(count=1)[0] for key in ("quats", "scales", "sh0")),
    )
    size = sum(bundle.size_bytes(name) for name in pictures)
    check_expansion(meta.where, count, size_bytes=size)
    if version == 2:
        scales = np.tile(_codebook(meta.section("scales")), (3, 1))
        colors = np.vstack([np.tile(_codebook(meta.section("sh0")), (3, 1)), logits(_BYTES)[None]])
    else:
        scales, colors = _ramps(meta.section("scales"), 3), _ramps(meta.section("sh0"), 4)
    lows, highs = means.numbers("mins", count=3), means.numbers("maxs", count=3)
    harmonics = _parse_harmonics(meta.section("shN"), bundle, version) if meta.values.get("shN") else None
    return Sog(
        version,
        count,
        bundle,
        lows,
        highs,
        scales.astype(np.float32),
        colors.astype(np.float32),
        (pictures[0], pictures[1], pictures[2], pictures[3], pictures[4]),
        harmonics,
    )


def _codebook(section: Fields) -> np.ndarray:
    """[256] float64; some writers left the first entry null, which continues the line of the others."""
    entries = section.items("codebook", most=256)
    if len(entries) == 256 and entries[0] is None:
        rest = Fields({"codebook": entries[1:]}, section.where).numbers("codebook", count=255)
        return np.r_[rest[0] + (rest[0] - rest[-1]) / 255.0, rest]
    return section.numbers("codebook", count=256)


def _ramps(section: Fields, channels: int) -> np.ndarray:
    """[channels,256] float64 even steps between the bounds of each channel."""
    lows, highs = section.numbers("mins", count=channels), section.numbers("maxs", count=channels)
    return np.asarray(lows[:, None] + _BYTES * (highs - lows)[:, None])


def _parse_harmonics(section: Fields, bundle: Bundle, version: int) -> Harmonics:
    centroids, labels = section.names(count=2)
    if version == 2:
        degree = section.whole("bands", least=1, most=3)
        entries = section.whole("count", least=1, most=MAX_LABELS)
        return Harmonics(degree, centroids, labels, _codebook(section), entries)
    low, high = section.number("mins"), section.number("maxs")
    width, height = palette_size(bundle, centroids)
    degree = SH_COEFFICIENTS.index(width // PALETTE_COLUMNS)
    return Harmonics(degree, centroids, labels, low + _BYTES * (high - low), height * PALETTE_COLUMNS)


def palette_size(bundle: Bundle, name: str) -> tuple[int, int]:
    """Width and height of the centroids' picture, which must be 64 entries of 3, 8 or 15 pixels wide."""
    where = f"{bundle.where}: {name}"
    width, height = dimensions(bundle.read(name, most=MAX_PALETTE_BYTES), where=where)
    if width not in [PALETTE_COLUMNS * higher for higher in SH_COEFFICIENTS[1:]]:
        raise SceneError(f"{where}: {width} pixels wide, expected 64 entries of 3, 8 or 15 coefficients")
    if height * PALETTE_COLUMNS > MAX_LABELS:
        raise SceneError(f"{where}: {height * PALETTE_COLUMNS} entries, expected at most {MAX_LABELS}")
    return width, height

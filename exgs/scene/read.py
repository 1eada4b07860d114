"""The door to scene files: the format is chosen by name, and the bytes must agree."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.scene.errors import SceneError
from exgs.scene.finite import bounds, finite_mask
from exgs.scene.formats.compressed_ply import is_compressed, open_compressed_ply
from exgs.scene.formats.ply import open_ply
from exgs.scene.formats.ply_header import parse_header
from exgs.scene.formats.scene_file import MAX_GAUSSIANS, SceneFile, file_size
from exgs.scene.formats.sog import open_sog
from exgs.scene.formats.sog_meta import META
from exgs.scene.formats.splat import open_splat
from exgs.scene.formats.spz import open_spz
from exgs.scene.formats.streamed_sog import LOD_META, open_streamed_sog
from exgs.scene.frame import Frame
from exgs.scene.gaussians import SH_COEFFICIENTS, Gaussians

READABLE = (".ply", ".compressed.ply", ".spz", ".splat", ".sog", LOD_META)
"""Names that ``read_scene`` takes; a folder with a meta.json or lod-meta.json is a SOG scene too."""

_HEADS = (
    (re.compile(rb"ply\s"), "a PLY file"),
    (re.compile(rb"\x1f\x8b"), "a gzip stream (SPZ?)"),
    (re.compile(rb"NGSP"), "an SPZ v4 file"),
    (re.compile(rb"PK\x03\x04"), "a zip archive (SOG?)"),
    (re.compile(rb"glTF"), "a glTF binary"),
    (re.compile(rb"RIFF....WEBP", re.DOTALL), "a WebP picture"),
    (re.compile(rb"\x89PNG"), "a PNG picture"),
    (re.compile(rb"\s*\{"), "a JSON file"),
)
_EXPECTED = {
    ".ply": ("a PLY file",),
    ".spz": ("a gzip stream (SPZ?)", "an SPZ v4 file"),
    ".sog": ("a zip archive (SOG?)",),
    ".splat": ("nothing known",),
    ".json": ("a JSON file",),
}


@dataclass(frozen=True)
class SceneDescription:
    """What ``exgs info`` tells about a scene file."""

    path: str
    """As it was given."""
    format: str
    """What the format is called, such as ``INRIA PLY``."""
    version: str
    """Version or variant of the format; empty where it has none."""
    count: int
    """Gaussians in the file, or in the chosen level."""
    sh_degree: int
    """Degree of the spherical harmonics, 0 to 3."""
    frame: Frame
    """Where the axes point."""
    size_bytes: int
    """Bytes on disk."""
    float_bytes: int
    """Bytes of the same Gaussians as the float32 values of an INRIA PLY."""
    level_counts: tuple[int, ...]
    """Gaussians in each level of detail, finest first; empty where the format has no levels."""
    bounds_min: tuple[float, float, float] | None
    """Least coordinates of the finite means; None without any, or where the data were not read."""
    bounds_max: tuple[float, float, float] | None
    """Greatest coordinates of the finite means."""
    non_finite: int | None
    """Gaussians with a NaN or infinite value, or a quaternion of zeros; None where the data were not read."""


def read_scene(path: str | Path, *, max_gaussians: int = MAX_GAUSSIANS) -> Gaussians:
    """Reads a scene in coordinates and order of its file; values that are not finite are kept.

    Args:
        path: a .ply, .compressed.ply, .spz, .splat or .sog file, a SOG folder, or a streamed SOG scene
            (its lod-meta.json or folder), for which ``@LEVEL`` may follow: 0, the default, is the finest.
        max_gaussians: larger scenes are refused.

    Raises:
        SceneError: the file is missing, unreadable, of another format, broken, or too large.
    """
    with _machine_faults(path):
        return open_scene(path, max_gaussians=max_gaussians).read()


def describe(path: str | Path, *, max_gaussians: int = MAX_GAUSSIANS, scan: bool = True) -> SceneDescription:
    """Describes a scene file; without ``scan`` from its header alone.

    Raises:
        SceneError: as for ``read_scene``.
    """
    with _machine_faults(path):
        scene = open_scene(path, max_gaussians=max_gaussians)
        gaussians = scene.read() if scan else None
    box = bounds(gaussians) if gaussians is not None else None
    return SceneDescription(
        path=str(path),
        format=scene.format,
        version=scene.version,
        count=scene.count,
        sh_degree=scene.sh_degree,
        frame=scene.frame,
        size_bytes=scene.size_bytes,
        float_bytes=scene.count * 4 * (17 + 3 * SH_COEFFICIENTS[scene.sh_degree]),
        level_counts=scene.level_counts,
        bounds_min=_triple(box[0]) if box else None,
        bounds_max=_triple(box[1]) if box else None,
        non_finite=scene.count - int(finite_mask(gaussians).sum()) if gaussians is not None else None,
    )


def open_scene(path: str | Path, *, max_gaussians: int = MAX_GAUSSIANS) -> SceneFile:
    """Chooses the format and checks the header; the Gaussians stay on disk.

    Raises:
        SceneError: as for ``read_scene``.
        OSError: the machine would not let the file be read.
    """
    path, level = _split_level(path)
    if path.is_dir():
        if (path / LOD_META).exists():
            path /= LOD_META
        elif not (path / META).exists():
            raise SceneError(
                f"{path}: a folder without {LOD_META} or {META}: not a SOG scene; of posed pictures "
                "'exgs reconstruct' makes one"
            )
    if path.name == LOD_META:
        return open_streamed_sog(path, level=level or 0, max_gaussians=max_gaussians)
    if level is not None:
        raise SceneError(f"{path}@{level}: levels are chosen in streamed SOG scenes ({LOD_META}) only")
    if path.name == META:
        path = path.parent
    if path.is_dir():
        return open_sog(path, max_gaussians=max_gaussians)
    _check_head(path)
    return _open_file(path, max_gaussians)


def _open_file(path: Path, max_gaussians: int) -> SceneFile:
    match path.suffix.lower():
        case ".ply":
            with path.open("rb") as file:
                header = parse_header(path, file)
            opener = open_compressed_ply if is_compressed(header) else open_ply
            return opener(path, header, max_gaussians=max_gaussians)
        case ".spz":
            return open_spz(path, max_gaussians=max_gaussians)
        case ".splat":
            return open_splat(path, max_gaussians=max_gaussians)
        case _:
            return open_sog(path, max_gaussians=max_gaussians)


def _split_level(path: str | Path) -> tuple[Path, int | None]:
    """The path and the number after its last @, unless a file is truly called so."""
    if "\0" in str(path):
        raise SceneError(f"{str(path)[:80]!r}: not a file name")
    match = re.fullmatch(r"(.+)@(\d{1,3})", str(path), re.DOTALL)
    if match is None or Path(path).exists():
        return Path(path), None
    return Path(match[1]), int(match[2])


def _check_head(path: Path) -> None:
    """Refuses a file whose first bytes are not those of its extension's format."""
    file_size(path)
    with path.open("rb") as file:
        head = file.read(64)
    found = next((name for pattern, name in _HEADS if pattern.match(head)), "nothing known")
    expected = _EXPECTED.get(path.suffix.lower())
    if expected is None or path.suffix.lower() == ".json":
        raise SceneError(
            f"{path}: no scene format has this name (it looks like {found}); readable: {', '.join(READABLE)}"
        )
    if found not in expected:
        raise SceneError(f"{path}: expected {' or '.join(expected)}, but it looks like {found}")


@contextmanager
def _machine_faults(path: str | Path) -> Iterator[None]:
    """What the machine refuses, as SceneError."""
    try:
        yield
    except OSError as error:
        raise SceneError(f"{path}: {error.strerror or error}") from error
    except MemoryError as error:
        raise SceneError(f"{path}: not enough memory for the scene") from error


def _triple(vector: np.ndarray) -> tuple[float, float, float]:
    return float(vector[0]), float(vector[1]), float(vector[2])

"""What sessions of a scene share: the uncompressed scene, its encoding, its SOG file, and the head's path."""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.codec import AnalysisCache, Container, DecodeError, EncodeConfig, encode, open_container
from exgs.experiments.config import Generated, HeadSpec, SceneSpec, Size
from exgs.experiments.errors import ExperimentError
from exgs.experiments.grid import code_checksum
from exgs.experiments.sog import make_sog
from exgs.experiments.timeline import Blob
from exgs.raster import Rasterizer
from exgs.scene import (
    Frame,
    Gaussians,
    HeadPath,
    describe,
    drop_non_finite,
    generate_interior,
    read_head_trace,
    read_scene,
    synthetic_head_trace,
    to_frame,
    write_scene,
)
from exgs.scene.formats.atomic import write_bytes
from exgs.server.cache import Cache, cache_key
from exgs.server.sight import Sight, is_worth_a_look
from exgs.server.sighting import measure_sight

ENCODER = ("scene", "raster", "codec")
"""Rooms that decide what an encoding is."""


@dataclass(frozen=True, eq=False)
class Source:
    """An uncompressed scene."""

    spec: SceneSpec
    """Where it comes from."""
    gaussians: Gaussians
    """The scene that pictures are judged by."""
    checksum: str
    """Tells its bytes apart from others'."""


@dataclass(frozen=True, eq=False)
class SogFile:
    """A SOG file of a scene, or a folder that holds what such a file would."""

    path: Path
    """Where it lies."""
    blob: Blob
    """What is sent."""
    gaussians: Gaussians
    """What it shows, in the scene's frame."""


class Workbench:
    """Makes and reads what experiments need; what takes long is kept in a folder."""

    def __init__(
        self, cache: Path, rasterizer: Rasterizer, *, splat_transform: str, say: Callable[[str], None]
    ) -> None:
        """``say`` hears a line before something that takes long."""
        self._streams, self._folder = Cache(cache / "streams"), cache
        self._rasterizer, self._splat_transform, self._say = rasterizer, splat_transform, say
        self._code = code_checksum(ENCODER)
        self._sights: dict[str, Sight] = {}

    def source(self, spec: SceneSpec) -> Source:
        """The uncompressed scene.

        Raises:
            SceneError: it cannot be read.
        """
        made = spec.source
        if isinstance(made, Generated):
            gaussians, told = generate_interior(seed=made.seed, count=made.count), f"{made}"
            return Source(spec, gaussians, hashlib.sha256(told.encode()).hexdigest())
        gaussians = drop_non_finite(read_scene(made))[0]
        found = hashlib.sha256(repr(gaussians.frame).encode())
        for field in dataclasses.fields(gaussians):
            if isinstance(array := getattr(gaussians, field.name), np.ndarray):
                found.update(array.tobytes())
        return Source(spec, gaussians, found.hexdigest())

    def encoded(self, source: Source, size: Size | None) -> Container:
        """The scene as it is sent; encoded now where it is not in the cache.

        Raises:
            ExperimentError: the given stream cannot be used.
            EncodeError: the scene cannot be encoded.
        """
        spec = source.spec
        if spec.stream is not None:
            return _opened(spec.stream, source.gaussians.frame)
        assert size is not None
        config = size.config(spec.views, spec.effort)
        key = cache_key(f"{source.checksum} {self._code}", config)
        data = self._streams.get(key)
        if data is None:
            self._say(f"encoding {spec.name} at {size.name}")
            data = self._encode(source.gaussians, config)
            self._streams.put(key, data)
        return open_container(data)

    def sight(self, container: Container) -> Sight | None:
        """What a server has found out about an encoded scene that it has served before.

        Raises:
            DecodeError: a chunk is damaged.
        """
        if not is_worth_a_look(container):
            return None
        key = hashlib.sha256(container.data).hexdigest()
        if key not in self._sights:
            self._sights[key] = measure_sight(container, self._rasterizer)
        return self._sights[key]

    def sog(self, source: Source) -> SogFile | str:
        """The SOG file of the scene; or, in a line, why there is none.

        Raises:
            SceneError: the SOG file that the scene names cannot be read.
        """
        path = source.spec.sog
        if path is None:
            made = self._make_sog(source)
            if isinstance(made, str):
                return made
            path = made
        gaussians = to_frame(drop_non_finite(read_scene(path))[0], source.gaussians.frame)
        size_bytes = sum(file.stat().st_size for file in _files(path))
        return SogFile(path, Blob(path.name, size_bytes, len(gaussians)), gaussians)

    def path(self, head: HeadSpec, source: Source, container: Container, *, seconds: float) -> HeadPath:
        """The way of a head through the scene.

        Raises:
            SceneError: the recording cannot be read.
        """
        trace = (
            synthetic_head_trace(seconds=seconds, seed=head.synthetic)
            if head.trace is None
            else read_head_trace(head.trace)
        )
        return trace.retarget(source.gaussians, start=container.header.start)

    def _encode(self, gaussians: Gaussians, config: EncodeConfig) -> bytes:
        analyses = AnalysisCache(self._folder / "analyses", warn=self._say)
        return encode(gaussians, config, rasterizer=self._rasterizer, cache=analyses).data

    def _make_sog(self, source: Source) -> Path | str:
        target = self._folder / f"{source.checksum[:32]}.sog"
        if target.exists():
            return target
        with tempfile.TemporaryDirectory(prefix="exgs-sog-") as folder:
            ply = Path(folder) / "scene.ply"
            write_scene(ply, source.gaussians)
            made = make_sog(ply, self._splat_transform, self._say)
            if isinstance(made, str):
                return made
            write_bytes(target, made.read_bytes())
        return target


def check_scenes(scenes: Iterable[SceneSpec]) -> None:
    """Opens all files of the scenes as far as their headers, so that none is missed later.

    Raises:
        SceneError: a scene or SOG file cannot be read.
        ExperimentError: a scene is empty, or a stream cannot be used.
    """
    for spec in scenes:
        frame = None
        for path in (spec.source, spec.sog):
            if isinstance(path, Path):
                found = describe(path, scan=False)
                frame = frame or found.frame
                if not found.count:
                    raise ExperimentError(f"{path}: a scene without Gaussians")
        if spec.stream is not None:
            _opened(spec.stream, frame if isinstance(spec.source, Path) else None)


def _opened(path: Path, frame: Frame | None) -> Container:
    """The stream, whose axes must be those of ``frame`` where that is known."""
    try:
        container = open_container(path.read_bytes())
    except (DecodeError, OSError) as error:
        raise ExperimentError(f"{path}: {error}") from error
    axes = container.header.frame.axes
    if frame is not None and axes != frame.axes:
        raise ExperimentError(f"{path}: its axes are {axes}, those of its source {frame.axes}")
    return container


def _files(path: Path) -> list[Path]:
    """All of what is downloaded."""
    return sorted(path.iterdir()) if path.is_dir() else [path]


def checksum(container: Container, path: HeadPath, sog: SogFile | None) -> str:
    """Tells what is sent, and along which way it is looked at, apart from others."""
    found = hashlib.sha256()
    for data in [container.data] if sog is None else [file.read_bytes() for file in _files(sog.path)]:
        found.update(data)
    for array in (path.times_s, path.positions, path.quats):
        found.update(array.tobytes())
    return found.hexdigest()

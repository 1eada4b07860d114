"""Everything a playing needs before it connects: kernels compiled, outputs checked, the head trace read."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from exgs.client.config import DEFAULT_SECONDS, PlayConfig
from exgs.client.errors import ClientError
from exgs.client.frames import Easel
from exgs.client.optics import Optics
from exgs.client.pacing import Pacer
from exgs.client.poses import HEAD_AXES, Loop, PoseSource
from exgs.client.presenters import Presenter, open_presenter
from exgs.client.sample import SAMPLE
from exgs.codec import decode
from exgs.painter import choose_restorer, draw
from exgs.raster import Rasterizer, choose_rasterizer
from exgs.scene import (
    Gaussians,
    HeadTrace,
    StartView,
    orbit,
    read_head_trace,
    starting_view,
    synthetic_head_trace,
)

ORBIT_VIEWS = 48
ORBIT_PERIOD_S = 20.0
MAX_SYNTHETIC_S = 3600.0
"""The built-in trace is no longer than this; after it the head stands still."""
PATIENCE_S = 1.5
"""Getting ready takes longer than this where kernels must be compiled, or the machine is busy."""

SPARSE = 1e-9
"""Splats per pixel of a picture that is restored by whatever restores any."""


@dataclass(frozen=True, eq=False)
class Staging:
    """What is ready when the connection is opened."""

    easel: Easel
    """What draws."""
    trace: HeadTrace
    """How the head moves, in no scene yet; for ``path`` "orbit" only the distance of its eyes counts."""
    seconds: float
    """How long to play."""
    config: PlayConfig
    """What was asked for."""

    @staticmethod
    def prepare(
        config: PlayConfig, compiling: Callable[[str], None], *, rasterizer: Rasterizer | None = None
    ) -> Staging:
        """Gets everything ready; blocks while kernels are compiled. ``compiling`` is told when it takes long.

        ``rasterizer`` None takes the one that ``config`` names.

        Raises:
            ClientError: an output cannot be written, or there is no such rasteriser.
            PainterError: the restorer that was asked for by name cannot be used.
            SceneError: the head trace cannot be read.
        """
        for output in (config.out, config.stats):
            _check_folder(output)
        presenter = open_presenter(config.out, fps=config.fps)
        trace, seconds = _trace(config)
        with _patience(compiling):
            easel = _easel(config, rasterizer or _choose(config.backend), presenter)
            staging = Staging(easel, trace, seconds, config)
            staging._warm_up()
        return staging

    def place(self, gaussians: Gaussians, start: StartView | None) -> tuple[PoseSource, Optics]:
        """The way of the head through the scene, and its eyes.

        The head begins at ``start``; where the file names none, a place is chosen by what has arrived.
        """
        config = self.config
        start = start or starting_view(gaussians, size=config.size, fov_y_rad=config.fov_y_rad)
        path = self.trace.retarget(gaussians, start=start)
        optics = self._optics(path.ipd_units if config.stereo else None)
        return (path if config.path == "head" else self._loop(gaussians)), optics

    def _loop(self, gaussians: Gaussians) -> Loop:
        config = self.config
        cameras = orbit(gaussians, ORBIT_VIEWS, size=config.size, fov_y_rad=config.fov_y_rad)
        return Loop(cameras, period_s=ORBIT_PERIOD_S)

    def _optics(self, ipd_units: float | None) -> Optics:
        return Optics(self.config.size, self.config.fov_y_rad, ipd_units)

    def _warm_up(self) -> None:
        """Decodes, draws and restores a sample, so that the first frame finds kernels compiled."""
        sample, restorer = decode(SAMPLE), self.easel.restorer
        cameras = self._optics(0.06 if self.config.stereo else None).eyes(HEAD_AXES)
        pictures = draw(self.easel.rasterizer, restorer, sample, cameras)
        nothing, ones = np.zeros_like(pictures.alpha), np.ones(len(cameras), np.float32)
        missing = replace(
            pictures, alpha=nothing, splats_per_pixel=SPARSE * ones, depth=nothing + 1, layers=ones
        )  # a gate lets that through, whatever it makes of the sample
        restorer.restore(missing)
        restorer.forget()


@contextmanager
def _patience(compiling: Callable[[str], None]) -> Iterator[None]:
    """Tells of the wait when what is done inside takes long."""
    timer = threading.Timer(PATIENCE_S, compiling, ("getting ready (kernels are compiled on the first run)",))
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _easel(config: PlayConfig, rasterizer: Rasterizer, presenter: Presenter) -> Easel:
    why: list[str] = []
    restorer = choose_restorer(config.restore, engine=config.restore_engine, video=True, on_off=why.append)
    pacer = Pacer(1 / config.fps) if config.restore == "auto" and not why else None
    return Easel(rasterizer, restorer, presenter, pacer, "".join(why))


def _choose(name: str) -> Rasterizer:
    try:
        return choose_rasterizer(name)
    except ValueError as error:
        raise ClientError(str(error)) from error


def _trace(config: PlayConfig) -> tuple[HeadTrace, float]:
    """The head's movement, and how long to play."""
    if config.head_trace is not None:
        trace = read_head_trace(config.head_trace)
        return trace, config.seconds or trace.duration_s
    seconds = config.seconds or DEFAULT_SECONDS
    return synthetic_head_trace(seconds=min(seconds, MAX_SYNTHETIC_S)), seconds


def _check_folder(output: Path | None) -> None:
    if output is None:
        return
    folder = output.absolute().parent
    if not folder.is_dir():
        raise ClientError(f"{output}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise ClientError(f"{output}: the folder {folder} may not be written to")

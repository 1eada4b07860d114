"""The encoder with some of its parts exchanged, and what its files are worth on views of their own."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

import exgs.codec
from exgs.codec import EncodeConfig, decode, encode
from exgs.raster import Rasterizer
from exgs.raster.quality import psnr
from exgs.scene import Gaussians, sample_views

SEED = 777
"""Of the views that judge: neither the encoder nor the referee uses it."""
SIZE = (480, 270)


def part(path: str) -> Any:
    """What ``path``, such as ``merging.reduce``, names in exgs.codec.

    Raises:
        LookupError: nothing has that name.
    """
    module, _, name = path.rpartition(".")
    home = importlib.import_module(f"exgs.codec.{module}")
    if not hasattr(home, name):
        raise LookupError(f"exgs.codec.{module} has no {name}")
    return getattr(home, name)


@contextmanager
def altered(changes: Mapping[str, Any]) -> Iterator[None]:
    """Puts each value in place of the part it names, in every module of the codec, while the block runs."""
    _import_all()
    undo: list[tuple[Any, str, Any]] = []
    try:
        for path, value in changes.items():
            before, name = part(path), path.rpartition(".")[2]
            for module in [m for key, m in sys.modules.items() if key.startswith("exgs.codec.")]:
                if vars(module).get(name) is before:
                    undo.append((module, name, before))
                    setattr(module, name, value)
        yield
    finally:
        for module, name, before in undo:
            setattr(module, name, before)


def _import_all() -> None:
    for found in pkgutil.walk_packages(exgs.codec.__path__, "exgs.codec."):
        importlib.import_module(found.name)


def score(gaussians: Gaussians, config: EncodeConfig, views: int, rasterizer: Rasterizer) -> float:
    """Mean PSNR [dB] of the decoded encoding over views of its own."""
    return fidelity(gaussians, encode(gaussians, config, rasterizer=rasterizer).data, views, rasterizer)


def fidelity(gaussians: Gaussians, data: bytes, views: int, rasterizer: Rasterizer) -> float:
    """Mean PSNR [dB] of a file over views of its own."""
    decoded = decode(data)
    cameras = sample_views(gaussians, views, seed=SEED, size=SIZE)
    pairs = [
        [rasterizer.render(scene, [camera]).color[0] for scene in (gaussians, decoded)] for camera in cameras
    ]
    return float(np.mean([psnr(reference, test) for reference, test in pairs]))

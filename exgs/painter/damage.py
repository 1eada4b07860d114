"""What a scene looks like once it was compressed: the damage that the network learns to repair."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from exgs.codec import EncodeConfig, decode, encode
from exgs.painter.errors import PainterError
from exgs.raster import Rasterizer
from exgs.scene import Gaussians
from exgs.scene.formats.atomic import write_bytes

SOURCE = "source"
"""The damage that is none: the network learns to leave such a picture alone."""
ENCODER_VIEWS = 24
"""Viewpoints of the encoder: fewer than it takes by itself, to be quicker."""
_PATTERN = re.compile(r"(ugc|exgs)-(\d+(?:\.\d+)?)(?:@(0?\.\d+))?")


@dataclass(frozen=True)
class Damage:
    """One way to compress a scene."""

    name: str
    """As the command line and the pairs name it: ``ugc-107``, ``exgs-200``, ``ugc-20@0.3`` or ``source``."""
    method: str = "ugc"
    """Method of the encoder."""
    ratio: float = 1.0
    """Size of the source over the size of the file."""
    share: float = 1.0
    """Share of the file that has arrived."""

    @property
    def config(self) -> EncodeConfig:
        """How the encoder is asked for it."""
        return EncodeConfig(
            method=self.method,  # type: ignore[arg-type]
            ratio=self.ratio,
            effort="fast",
            views=ENCODER_VIEWS,
        )


DAMAGES = (
    "ugc-107", "ugc-200", "ugc-500", "ugc-30", "ugc-30@0.2", "ugc-107@0.6",
    "exgs-50", "exgs-107", "exgs-200", SOURCE,
)  # fmt: skip
"""What pairs are made of where nothing else is asked for. The first encoding lends its fit to the others."""


def parse_damage(name: str) -> Damage:
    """The damage called ``name``: METHOD-RATIO, with @SHARE where only a part of the file has arrived.

    Raises:
        PainterError: nothing is called so.
    """
    if name == SOURCE:
        return Damage(SOURCE)
    found = _PATTERN.fullmatch(name)
    if found is None or float(found[2]) <= 0:
        raise PainterError(
            f"damage {name!r}: expected ugc-RATIO or exgs-RATIO, and @SHARE for a part of the file, or source"
        )
    return Damage(name, found[1], float(found[2]), float(found[3] or 1.0))


Encoder = Callable[[Gaussians, EncodeConfig], bytes]
"""Makes a file of a scene."""


def encoder(rasterizer: Rasterizer, *, keep: Path | None = None, cache: object = None) -> Encoder:
    """What makes files; those in the folder ``keep`` are not made again. ``cache`` is the codec's own."""

    def make(gaussians: Gaussians, config: EncodeConfig) -> bytes:
        path = keep / f"{_key(gaussians, config)}.ugc" if keep is not None else None
        if path is not None and path.is_file():
            return path.read_bytes()
        data = encode(gaussians, config, rasterizer=rasterizer, cache=cache).data  # type: ignore[arg-type]
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data)
        return data

    return make


def damaged(
    gaussians: Gaussians, damages: Sequence[Damage], *, make: Encoder
) -> Iterator[tuple[Damage, Gaussians]]:
    """``gaussians`` as a viewer has them after each of ``damages``, in their order."""
    files: dict[EncodeConfig, bytes] = {}
    for damage in damages:
        if damage.name == SOURCE:
            yield damage, gaussians
            continue
        data = files.get(damage.config) or make(gaussians, damage.config)
        files[damage.config] = data
        yield damage, decode(data, max_bytes=None if damage.share == 1 else int(damage.share * len(data)))


def _key(gaussians: Gaussians, config: EncodeConfig) -> str:
    """Tells scenes and configurations apart."""
    digest = hashlib.sha256(repr(config).encode())
    for array in (gaussians.means, gaussians.quats, gaussians.log_scales, gaussians.opacity_logits,
                  gaussians.sh0, gaussians.shN):  # fmt: skip
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:24]

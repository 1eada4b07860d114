"""What a scene looks like once it was compressed: the damage that the network learns to repair."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from exgs.codec import Analyses, Analysis, EncodeConfig, decode, encode
from exgs.painter.errors import PainterError
from exgs.raster import Rasterizer
from exgs.scene import Gaussians
from exgs.scene.formats.atomic import write_bytes
from exgs.scene.gaussians import VALUES

SOURCE = "source"
"""The damage that is none: the network learns to leave such a picture alone."""
QUICK_EFFORT, QUICK_VIEWS = "fast", 24
"""How the encoder makes many files in little time: from fewer viewpoints than it takes by itself."""
_PATTERN = re.compile(r"(ugc|exgs)-(\d+(?:\.\d+)?)(-quick)?(?:@(0?\.\d+))?")


@dataclass(frozen=True)
class Damage:
    """One way to compress a scene."""

    name: str
    """As the command line and the pairs name it: ``ugc-107``, ``ugc-20-quick@0.3`` or ``source``."""
    method: str = "ugc"
    """Method of the encoder."""
    ratio: float = 1.0
    """Size of the source over the size of the file."""
    share: float = 1.0
    """Share of the file that has arrived."""
    quick: bool = False
    """Whether the file is made in little time; else it is the one that a user of the encoder gets."""

    @property
    def config(self) -> EncodeConfig:
        """How the encoder is asked for it."""
        config = EncodeConfig(method=self.method, ratio=self.ratio)  # type: ignore[arg-type]
        return replace(config, effort=QUICK_EFFORT, views=QUICK_VIEWS) if self.quick else config


DAMAGES = (
    "ugc-107-quick", "ugc-200-quick", "ugc-500-quick", "ugc-30-quick", "ugc-30-quick@0.2",
    "ugc-107-quick@0.6", "exgs-50-quick", "exgs-107-quick", "exgs-200-quick", SOURCE,
)  # fmt: skip
"""What pairs are made of where nothing else is asked for. The first encoding lends its fit to the others."""


def parse_damage(name: str) -> Damage:
    """The damage called ``name``: METHOD-RATIO, and -quick and @SHARE, the part of the file that has arrived.

    Raises:
        PainterError: nothing is called so.
    """
    if name == SOURCE:
        return Damage(SOURCE)
    found = _PATTERN.fullmatch(name)
    if found is None or float(found[2]) <= 0:
        raise PainterError(
            f"damage {name!r}: expected ugc-RATIO or exgs-RATIO, -quick for a file made quickly, "
            "@SHARE for a part of it, or source"
        )
    return Damage(name, found[1], float(found[2]), float(found[4] or 1.0), quick=found[3] is not None)


Encoder = Callable[[Gaussians, EncodeConfig], bytes]
"""Makes a file of a scene."""


def encoder(rasterizer: Rasterizer, *, keep: Path | None = None, cache: Analyses | None = None) -> Encoder:
    """What makes files; those in the folder ``keep`` are not made again.

    Quick files take over the fits in ``cache``, others only what was found out about the scene: they come out
    as if there were none.
    """
    unfitted = Unfitted(cache) if cache is not None else None

    def make(gaussians: Gaussians, config: EncodeConfig) -> bytes:
        path = keep / f"{_key(gaussians, config)}.ugc" if keep is not None else None
        if path is not None and path.is_file():
            return path.read_bytes()
        known = cache if config.effort == QUICK_EFFORT else unfitted
        data = encode(gaussians, config, rasterizer=rasterizer, cache=known).data
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, data)
        return data

    return make


class Unfitted:
    """Analyses without the fits in them, of which one file would lend another its own."""

    def __init__(self, cache: Analyses) -> None:
        self._cache = cache
        self._known: set[str] = set()

    def get(self, key: str, prepared: Gaussians) -> Analysis | None:
        """What is known of the scene; None where nothing is."""
        found = self._cache.get(key, prepared)
        if found is None:
            return None
        self._known.add(key)
        return replace(found, fitted=None)

    def put(self, key: str, analysis: Analysis) -> None:
        """Keeps what was found out about the scene, once."""
        if key not in self._known:
            self._cache.put(key, replace(analysis, fitted=None))


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
    for name in VALUES:
        digest.update(np.ascontiguousarray(getattr(gaussians, name)).tobytes())
    return digest.hexdigest()[:24]

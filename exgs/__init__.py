"""exgs: a streaming codec that brings 3D Gaussian Splatting scenes to XR headsets.

The names below are the public interface; each is imported from its room when it is first asked for.
"""

from __future__ import annotations

import importlib

from exgs.version import __version__

TYPE_CHECKING = False
"""As in ``typing``, which is not imported: that would take longer than all before a command heeds Ctrl-C."""

if TYPE_CHECKING:
    from exgs.codec import (
        Assembly,
        CodecError,
        DecodeError,
        Decoder,
        EncodeConfig,
        EncodeError,
        Encoding,
        decode,
        encode,
        open_container,
    )
    from exgs.raster import Rasterizer, Rendering, choose_rasterizer
    from exgs.scene import (
        Camera,
        Frame,
        Gaussians,
        SceneError,
        read_cameras,
        read_scene,
        sample_views,
        write_cameras,
        write_scene,
    )

_ROOMS = {
    "exgs.codec": (
        "Assembly", "CodecError", "DecodeError", "Decoder", "EncodeConfig", "EncodeError", "Encoding",
        "decode", "encode", "open_container",
    ),
    "exgs.raster": ("Rasterizer", "Rendering", "choose_rasterizer"),
    "exgs.scene": (
        "Camera", "Frame", "Gaussians", "SceneError", "read_cameras", "read_scene", "sample_views",
        "write_cameras", "write_scene",
    ),
}  # fmt: skip
_HOME = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [
    "Assembly",
    "Camera",
    "CodecError",
    "DecodeError",
    "Decoder",
    "EncodeConfig",
    "EncodeError",
    "Encoding",
    "Frame",
    "Gaussians",
    "Rasterizer",
    "Rendering",
    "SceneError",
    "__version__",
    "choose_rasterizer",
    "decode",
    "encode",
    "open_container",
    "read_cameras",
    "read_scene",
    "sample_views",
    "write_cameras",
    "write_scene",
]


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(importlib.import_module(_HOME[name]), name)
    raise AttributeError(f"module 'exgs' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)

"""Turns Gaussians into bytes and back, for ever.

Every name's module is imported when the name is first used: who only asks how a scene may be encoded need not
wait for the kernels that do it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from exgs.codec.assembly import Assembly
    from exgs.codec.chunks import decode_chunk
    from exgs.codec.container import Container, open_container
    from exgs.codec.decoder import DecodedChunk, Decoder, decode
    from exgs.codec.encoding.analysis import Analyses, Analysis
    from exgs.codec.encoding.analysis_cache import AnalysisCache
    from exgs.codec.encoding.config import (
        DEFAULT_PRESET,
        FEWEST_VIEWS,
        METHODS,
        MOST_LEVELS,
        MOST_VIEWS,
        PRESETS,
        STORAGES,
        EncodeConfig,
    )
    from exgs.codec.encoding.effort import DEFAULT_EFFORT, EFFORTS
    from exgs.codec.encoding.encoder import PHASES, encode
    from exgs.codec.encoding.photographs import Photographs
    from exgs.codec.encoding.refining import refine
    from exgs.codec.encoding.report import Encoding, Report
    from exgs.codec.errors import (
        CodecError,
        Corrupt,
        DecodeError,
        EncodeError,
        LimitExceeded,
        Truncated,
        UnsupportedFeature,
        UnsupportedVersion,
    )
    from exgs.codec.header import Header, Preamble, parse_preamble
    from exgs.codec.manifest import ChunkInfo
    from exgs.codec.writing.precision import Precision
    from exgs.codec.writing.pyramid import Level, Pyramid
    from exgs.codec.writing.serializer import Serialized, serialize, serialize_measured

_HOMES = (
    ("assembly", ("Assembly",)),
    ("chunks", ("decode_chunk",)),
    ("container", ("Container", "open_container")),
    ("decoder", ("DecodedChunk", "Decoder", "decode")),
    (
        "errors",
        (
            "CodecError",
            "Corrupt",
            "DecodeError",
            "EncodeError",
            "LimitExceeded",
            "Truncated",
            "UnsupportedFeature",
            "UnsupportedVersion",
        ),
    ),
    ("header", ("Header", "Preamble", "parse_preamble")),
    ("manifest", ("ChunkInfo",)),
    ("encoding.analysis", ("Analyses", "Analysis")),
    ("encoding.analysis_cache", ("AnalysisCache",)),
    (
        "encoding.config",
        (
            "DEFAULT_PRESET",
            "FEWEST_VIEWS",
            "METHODS",
            "MOST_LEVELS",
            "MOST_VIEWS",
            "PRESETS",
            "STORAGES",
            "EncodeConfig",
        ),
    ),
    ("encoding.effort", ("DEFAULT_EFFORT", "EFFORTS")),
    ("encoding.encoder", ("PHASES", "encode")),
    ("encoding.photographs", ("Photographs",)),
    ("encoding.refining", ("refine",)),
    ("encoding.report", ("Encoding", "Report")),
    ("writing.precision", ("Precision",)),
    ("writing.pyramid", ("Level", "Pyramid")),
    ("writing.serializer", ("Serialized", "serialize", "serialize_measured")),
)


def __getattr__(name: str) -> Any:
    for module, names in _HOMES:
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "DEFAULT_EFFORT",
    "DEFAULT_PRESET",
    "EFFORTS",
    "FEWEST_VIEWS",
    "METHODS",
    "MOST_LEVELS",
    "MOST_VIEWS",
    "PHASES",
    "PRESETS",
    "STORAGES",
    "Analyses",
    "Analysis",
    "AnalysisCache",
    "Assembly",
    "ChunkInfo",
    "CodecError",
    "Container",
    "Corrupt",
    "DecodeError",
    "DecodedChunk",
    "Decoder",
    "EncodeConfig",
    "EncodeError",
    "Encoding",
    "Header",
    "Level",
    "LimitExceeded",
    "Photographs",
    "Preamble",
    "Precision",
    "Pyramid",
    "Report",
    "Serialized",
    "Truncated",
    "UnsupportedFeature",
    "UnsupportedVersion",
    "decode",
    "decode_chunk",
    "encode",
    "open_container",
    "parse_preamble",
    "refine",
    "serialize",
    "serialize_measured",
]

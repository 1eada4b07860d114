"""Turns Gaussians into bytes and back, for ever."""

from exgs.codec.assembly import Assembly
from exgs.codec.chunks import decode_chunk
from exgs.codec.config import METHODS, PRESETS, EncodeConfig
from exgs.codec.container import Container, open_container
from exgs.codec.decoder import DecodedChunk, Decoder, decode
from exgs.codec.encoder import PHASES, encode
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
from exgs.codec.pyramid import Level, Pyramid
from exgs.codec.quantisation import Precision
from exgs.codec.report import Encoding, Report
from exgs.codec.serialize import Serialized, serialize, serialize_measured

__all__ = [
    "METHODS",
    "PHASES",
    "PRESETS",
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
    "serialize",
    "serialize_measured",
]

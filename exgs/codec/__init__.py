"""Turns Gaussians into bytes and back, for ever."""

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

__all__ = [
    "CodecError",
    "Corrupt",
    "DecodeError",
    "EncodeError",
    "LimitExceeded",
    "Truncated",
    "UnsupportedFeature",
    "UnsupportedVersion",
]

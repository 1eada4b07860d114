"""Every limit of the bitstream and every rule whose breach makes a file corrupt (docs/bitstream.md)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

MAX_PREAMBLE_BYTES = 4 << 20
"""Header, tables and manifest together."""
MAX_LEVELS = 16
"""Levels of detail in one file."""
MAX_CHUNKS = 1 << 16
"""Chunks in one file."""
MAX_CHUNK_BYTES = 1 << 20
"""One chunk, its checksum included."""
MAX_CHUNK_SPLATS = 1 << 16
"""Gaussians in one chunk."""
MAX_RUNS = 16
"""Runs of splats in one chunk."""
MAX_SPLATS = 1 << 25
"""Gaussians in one file, all levels together."""
FREE_SPLATS = 1 << 16
"""Gaussians that a file of any size may hold."""
MAX_SPLATS_PER_BYTE = 64
"""Further Gaussians for each byte of its chunks: few bytes cannot ask for much memory."""
MAX_NUMBER = 2.0**60
"""Magnitude of 32-bit floating-point fields, so that nothing decoded overflows."""

RULES: Mapping[str, str] = MappingProxyType(
    {
        "M1": "the file starts with the magic",
        "M2": "the checksum of the preamble holds",
        "M3": "a variable-length integer takes at most five bytes, needs all of them, and fits 32 bits",
        "M4": "every number is finite and within its bounds, steps and lengths are positive, boxes ordered",
        "M5": "codes of frame and SH degree and numbers of fields are among those defined",
        "M6": "there is a level, and the runs of a chunk have no more splats than the chunk",
        "M7": "the parent of a chunk is one of the next coarser level, and before it in the file",
        "M8": "the replaced range lies within the parent",
        "M9": "the places of the chunks number them from zero without gap",
        "M10": "the preamble ends where its size says",
        "M11": "the checksum of a chunk holds",
        "M12": "a chunk has exactly the size its manifest entry says",
        "M13": "nothing follows the last chunk",
        "M14": "frequency tables are as their section demands",
        "M15": "the coded symbols of a chunk use up its bytes exactly and end in the initial states",
        "M16": "every decoded symbol is within its range",
    }
)
"""What each rule demands; ``Corrupt.rule`` names the broken one."""


def most_splats(chunk_bytes: int) -> int:
    """Gaussians that a file with ``chunk_bytes`` bytes of chunks may hold."""
    return min(MAX_SPLATS, FREE_SPLATS + MAX_SPLATS_PER_BYTE * chunk_bytes)

"""What can go wrong between Gaussians and bytes, and whose fault it is."""

from __future__ import annotations


class CodecError(Exception):
    """Something went wrong between Gaussians and bytes."""


class EncodeError(CodecError):
    """The caller asked for an encoding that cannot be made; the message says what would work."""


class DecodeError(CodecError):
    """The bytes are at fault."""

    def __init__(self, message: str, *, section: str, offset: int) -> None:
        """``section`` names the part of the file, ``offset`` the byte where the fault was seen.

        It counts from the start of the file; in ``chunk N`` from that of the chunk.
        """
        place = f"{section} at byte {offset}" + (" of it" if section.startswith("chunk ") else "")
        super().__init__(f"{place}: {message}")
        self.section = section
        self.offset = offset


class Truncated(DecodeError):
    """The bytes end before the structure does."""


class Corrupt(DecodeError):
    """A rule of docs/bitstream.md is broken."""

    def __init__(self, message: str, *, rule: str, section: str, offset: int) -> None:
        """``rule`` is the number of the broken rule in docs/bitstream.md, such as ``M3``."""
        super().__init__(f"{message} (rule {rule})", section=section, offset=offset)
        self.rule = rule


class UnsupportedVersion(DecodeError):
    """The file is of a version this decoder does not know."""


class UnsupportedFeature(DecodeError):
    """The file needs a feature this decoder does not have."""


class LimitExceeded(DecodeError):
    """A length in the bytes is beyond a named limit."""

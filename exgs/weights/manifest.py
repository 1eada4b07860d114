"""What stands beside the weights of a network: what they are, and that they are whole."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exgs.scene.formats.bounded import parse_object
from exgs.weights.errors import WeightsError

VERSION = 1
MAX_MANIFEST_BYTES = 1 << 20


@dataclass(frozen=True)
class Manifest:
    """A manifest as far as every network needs it."""

    name: str
    """What the weights are called."""
    sha256: Mapping[str, str]
    """Of each file, by its kind (``shelf.FILES``); lower-case hexadecimal."""
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """All of it, as written."""

    @staticmethod
    def parse(data: bytes, where: str) -> Manifest:
        """Reads a manifest; ``where`` names it in errors.

        Raises:
            WeightsError: it is none, or of another version.
        """
        document = parse_object(data, where, WeightsError)
        version = document.get("version")
        if version != VERSION:
            raise WeightsError(f"{where}: version {version!r}, expected {VERSION}; a newer exgs may read it")
        return Manifest(_name(document, where), _sums(document, where), document)


def _name(document: Mapping[str, Any], where: str) -> str:
    name = document.get("name")
    if not isinstance(name, str) or not re.fullmatch(r"[\w.\-]{1,64}", name):
        raise WeightsError(f"{where}: name {str(name)[:40]!r}, expected letters, digits, '.', '_' and '-'")
    return name


def _sums(document: Mapping[str, Any], where: str) -> Mapping[str, str]:
    sums = document.get("sha256")
    if not isinstance(sums, dict) or not sums:
        raise WeightsError(f'{where}: expected an object "sha256"')
    for kind, value in sums.items():
        if not isinstance(value, str) or not re.fullmatch(r"[0-9a-f]{64}", value):
            raise WeightsError(f"{where}: sha256 of {kind[:40]!r} is not 64 hexadecimal digits")
    return sums

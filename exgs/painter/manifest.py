"""What a manifest says besides, where its weights restore pictures: which pictures are left alone."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from exgs import weights
from exgs.painter.gate import Gate
from exgs.weights.errors import WeightsError


@dataclass(frozen=True)
class Manifest(weights.Manifest):
    """A manifest as far as restoring needs it."""

    gate: Gate = field(default_factory=Gate)
    """Which pictures are left alone."""

    @staticmethod
    def parse(data: bytes, where: str) -> Manifest:
        """Reads a manifest; ``where`` names it in errors.

        Raises:
            WeightsError: it is none, or of another version.
        """
        plain = weights.Manifest.parse(data, where)
        return Manifest(plain.name, plain.sha256, plain.document, _gate(plain.document, where))


def _gate(document: Mapping[str, Any], where: str) -> Gate:
    stated = document.get("gate", {})
    if not isinstance(stated, dict):
        raise WeightsError(f'{where}: expected an object "gate"')
    bound = stated.get("splats_per_pixel", Gate.splats_per_pixel)
    if not _is_number(bound) or not 0 <= bound < math.inf:
        raise WeightsError(f"{where}: gate of {str(bound)[:40]} splats per pixel, expected 0 or more")
    holes = stated.get("holes", Gate.holes)
    if not _is_number(holes) or not 0 <= holes <= 1:
        raise WeightsError(f"{where}: gate of {str(holes)[:40]} holes, expected a share from 0 to 1")
    confidence = stated.get("confidence", Gate.confidence)
    if not _is_number(confidence) or not 0 <= confidence <= 1:
        raise WeightsError(f"{where}: gate of confidence {str(confidence)[:40]}, expected 0 to 1")
    return Gate(float(bound), float(holes), float(confidence))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)

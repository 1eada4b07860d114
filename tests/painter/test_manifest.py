"""Gates that are none."""

import json
from typing import Any

import pytest

from exgs.painter.gate import SPLATS_PER_PIXEL
from exgs.painter.manifest import Manifest
from exgs.weights import WeightsError

SOUND: dict[str, Any] = {"name": "tiny", "version": 1, "sha256": {"onnx": "0123456789abcdef" * 4}}


def parse(document: Any) -> Manifest:
    return Manifest.parse(json.dumps(document).encode(), "here")


def test_the_gate_is_read_beside_the_rest() -> None:
    manifest = parse({**SOUND, "scores": {"psnr": 1}})
    assert (manifest.name, manifest.document["scores"]) == ("tiny", {"psnr": 1})
    assert manifest.gate.splats_per_pixel == SPLATS_PER_PIXEL
    assert parse({**SOUND, "gate": {"splats_per_pixel": 2}}).gate.splats_per_pixel == 2
    assert parse({**SOUND, "gate": {}}).gate.holes == 0
    assert parse({**SOUND, "gate": {"holes": 0.1}}).gate.holes == 0.1
    assert parse({**SOUND, "gate": {"confidence": 0.7}}).gate.confidence == 0.7


@pytest.mark.parametrize(
    "gate",
    [
        [],
        *({"splats_per_pixel": bound} for bound in (-1, float("nan"), float("inf"), "1", True)),
        *({"holes": share} for share in (-0.1, float("nan"), 1.5, "0.1", True)),
        *({"confidence": sure} for sure in (-0.1, float("nan"), 1.5, "0.1", None)),
    ],
)
def test_what_is_unsound_is_named(gate: Any) -> None:
    with pytest.raises(WeightsError, match=r"^here: .*(gate|splats per pixel)") as raised:
        parse({**SOUND, "gate": gate})
    assert len(str(raised.value)) < 200


def test_what_is_no_manifest_is_refused() -> None:
    with pytest.raises(WeightsError, match="here: version 2"):
        parse({**SOUND, "version": 2})

"""Manifests that are none."""

import json
from typing import Any

import pytest

from exgs.weights import Manifest, WeightsError

SUM = "0123456789abcdef" * 4
SOUND: dict[str, Any] = {"name": "tiny", "version": 1, "sha256": {"onnx": SUM}, "scores": {"psnr": 1}}


def parse(document: Any) -> Manifest:
    return Manifest.parse(json.dumps(document).encode(), "here")


def test_what_every_network_needs_is_read_and_the_rest_kept() -> None:
    manifest = parse(SOUND)
    assert (manifest.name, manifest.sha256) == ("tiny", {"onnx": SUM})
    assert manifest.document["scores"] == {"psnr": 1}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"version": 2}, "version 2, expected 1"),
        ({"version": None}, "version None"),
        ({"name": None}, "name"),
        ({"name": "a/../b"}, "name"),
        ({"name": "x" * 10_000}, "name"),
        ({"sha256": None}, "sha256"),
        ({"sha256": {}}, "sha256"),
        ({"sha256": {"onnx": SUM[1:]}}, "64 hexadecimal"),
        ({"sha256": {"onnx": 5}}, "64 hexadecimal"),
    ],
)
def test_what_is_unsound_is_named(change: dict[str, Any], says: str) -> None:
    with pytest.raises(WeightsError, match=says) as raised:
        parse({**SOUND, **change})
    assert str(raised.value).startswith("here: ") and len(str(raised.value)) < 200


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff\xfe\x00", b"null", b"[" * 100_000])
def test_what_is_no_object_is_refused(data: bytes) -> None:
    with pytest.raises(WeightsError, match="here"):
        Manifest.parse(data, "here")

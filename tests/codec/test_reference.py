"""The decoder against the one written from the specification, on random pyramids."""

import importlib

import numpy as np
import pytest
from random_pyramids import in_many_runs, random_pyramid
from reference_decoder import ReferenceDecoder

from exgs.codec import Precision, decode, open_container, serialize
from exgs.codec.writing.cutting import cut


@pytest.mark.parametrize("degree", range(4))
@pytest.mark.parametrize("factor", [0.1, 1.0, 6.0])
def test_both_decoders_agree_bit_for_bit(degree: int, factor: float) -> None:
    pyramid = random_pyramid(350, 70, 9, seed=40 + degree, degree=degree)
    assert differing(serialize(pyramid, Precision().scaled(factor))) == []


def test_both_decoders_agree_on_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = importlib.import_module("exgs.codec.writing.chunking")
    monkeypatch.setattr(writer, "cut", lambda *arguments: in_many_runs(cut(*arguments)))
    data = serialize(random_pyramid(350, 70, seed=50), Precision())
    assert {len(chunk.runs) for chunk in open_container(data).manifest} == {16}
    assert differing(data) == []


def differing(data: bytes) -> list[str]:
    """The arrays in which the two decoders differ."""
    ours, theirs = decode(data), ReferenceDecoder(data).whole()
    names = {"means": "means", "quats": "quats", "log_scales": "log_scales", "opacity_logits": "logits",
             "sh0": "sh0", "shN": "shN"}  # fmt: skip
    return [name for name, other in names.items() if not np.array_equal(getattr(ours, name), theirs[other])]

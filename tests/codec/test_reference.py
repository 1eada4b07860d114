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
    compare(serialize(pyramid, Precision().scaled(factor)))


def test_both_decoders_agree_on_many_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    writer = importlib.import_module("exgs.codec.writing.serializer")
    monkeypatch.setattr(writer, "cut", lambda *arguments: in_many_runs(cut(*arguments)))
    data = serialize(random_pyramid(350, 70, seed=50), Precision())
    assert {len(chunk.runs) for chunk in open_container(data).manifest} == {16}
    compare(data)


def compare(data: bytes) -> None:
    ours, theirs = decode(data), ReferenceDecoder(data).whole()
    assert np.array_equal(ours.means, theirs["means"])
    assert np.array_equal(ours.quats, theirs["quats"])
    assert np.array_equal(ours.log_scales, theirs["log_scales"])
    assert np.array_equal(ours.opacity_logits, theirs["logits"])
    assert np.array_equal(ours.sh0, theirs["sh0"])
    assert np.array_equal(ours.shN, theirs["shN"])

"""Golden files of version 1, and files that break one rule each."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from breakage import breakages
from reference_decoder import ReferenceDecoder

from exgs.codec import Corrupt, decode
from exgs.codec.limits import RULES

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
INDEX = json.loads((VECTORS / "v1" / "index.json").read_text(encoding="utf-8"))
INVALID = sorted((VECTORS / "invalid").glob("*.ugc"))
ARRAYS = ("means", "quats", "log_scales", "opacity_logits", "sh0", "shN")


@pytest.mark.parametrize("name", INDEX)
def test_golden_files_decode_as_ever(name: str) -> None:
    data = (VECTORS / "v1" / f"{name}.ugc").read_bytes()
    shown = decode(data)
    arrays = b"".join(getattr(shown, array).astype("<f4").tobytes() for array in ARRAYS)
    entry = {"bytes": len(data), "splats": len(shown), "sha256": hashlib.sha256(arrays).hexdigest()}
    assert entry == INDEX[name]


@pytest.mark.parametrize("name", INDEX)
def test_the_reference_decoder_agrees_on_the_golden_files(name: str) -> None:
    data = (VECTORS / "v1" / f"{name}.ugc").read_bytes()
    ours, theirs = decode(data), ReferenceDecoder(data).whole()
    for array in ARRAYS:
        other = theirs["logits" if array == "opacity_logits" else array]
        assert np.array_equal(getattr(ours, array), other), array


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_invalid_files_are_refused_by_the_rule_they_are_named_after(path: Path) -> None:
    with pytest.raises(Corrupt) as caught:
        decode(path.read_bytes())
    assert caught.value.rule == path.stem.split("-")[0]


def test_every_rule_has_a_file_that_breaks_it() -> None:
    about_lone_chunks = {"M12"}
    assert {path.stem.split("-")[0] for path in INVALID} == set(RULES) - about_lone_chunks


def test_the_invalid_files_are_those_the_script_makes() -> None:
    one, tree = ((VECTORS / "v1" / f"{name}.ugc").read_bytes() for name in ("one-level", "tree"))
    made = dict(breakages(one, tree))
    assert made == {path.stem: path.read_bytes() for path in INVALID}

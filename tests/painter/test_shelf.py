"""The shelf of the painter."""

from pathlib import Path

import pytest

from exgs.painter.gate import Gate
from exgs.painter.shelf import SIZES, open_weights, shipped
from exgs.weights import WeightsError

HALF = Path(__file__).parent / "data" / "half"


def test_weights_come_with_their_gate() -> None:
    weights = open_weights(str(HALF))
    assert weights.manifest.name == "half" and isinstance(weights.manifest.gate, Gate)


def test_all_that_is_shipped_is_whole() -> None:
    assert set(shipped()) <= set(SIZES)
    for size in shipped():
        weights = open_weights(size)
        assert {kind: len(weights.read(kind)) > 0 for kind in ("graph", "safetensors")}


def test_other_sizes_are_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no weights of size base came with this package"):
        open_weights("base", tmp_path)
    with pytest.raises(WeightsError, match="nowhere: expected one of tiny, small, base, or a folder"):
        open_weights("nowhere")

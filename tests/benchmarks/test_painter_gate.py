"""Bounds that are chosen anew reach the manifest, and nothing else changes."""

import json
import shutil
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from benchmarks.painter_gate import write_gate  # noqa: E402
from exgs.painter.calibration import Choice  # noqa: E402
from exgs.painter.gate import Gate  # noqa: E402
from exgs.painter.shelf import SHELF, open_weights  # noqa: E402


def test_the_manifest_says_the_new_bounds_and_by_which_scenes(tmp_path: Path) -> None:
    folder = shutil.copytree(SHELF / "tiny", tmp_path / "tiny")
    before = json.loads((folder / "manifest.json").read_text())
    write_gate(open_weights(str(folder)), Choice(0.0, Gate(0.06, 0.1, 0.6), 1.0, 0.0, 0.0), ["interior-13"])
    weights = open_weights(str(folder))
    assert weights.manifest.gate == Gate(0.06, 0.1, 0.6)
    after = json.loads((folder / "manifest.json").read_text())
    assert after["calibration"]["scenes"] == ["interior-13"]
    assert {**after, "gate": 0, "calibration": 0} == {**before, "gate": 0, "calibration": 0}
    assert weights.read("graph")

"""docs/experiments.md names every key of the file and every column of the tables."""

import re
from pathlib import Path

import pytest

from exgs.experiments import config_file, fields
from exgs.experiments.config import KINDS
from exgs.experiments.figures import Judged, chunk_rows, frame_rows, summary_row
from exgs.experiments.judging import Verdict
from exgs.experiments.plots import PLOTS
from tests.experiments.sessions import container, timeline

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def text() -> str:
    return (REPOSITORY / "docs" / "experiments.md").read_text(encoding="utf-8")


def test_every_key_is_named(text: str) -> None:
    source = Path(str(config_file.__file__)).read_text(encoding="utf-8")
    readers = "|".join(name for name in vars(fields.Fields) if not name.startswith("_"))
    keys = set(re.findall(rf'fields\.(?:{readers})\(\s*"(\w+)"', source))
    assert len(keys) > 20
    assert not {
        key for key in keys if f"`{key}`" not in text and key not in ("enter", "leave", "seed", "count")
    }
    assert all(f"`{kind}`" in text for kind in KINDS)


def test_every_column_is_named(text: str) -> None:
    verdict = Verdict(30.0, 0.9, 0.1, 0.0)
    judged = Judged(timeline([0.5] * len(container().manifest)), [1.0], [(verdict, verdict)], 1.0)
    columns = {"scene_bytes", *summary_row(judged), *frame_rows(judged)[0], *chunk_rows(judged.timeline)[0]}
    assert not {name for name in columns if f"`{name}`" not in text}
    assert all(f"`{name}`" in text for name in PLOTS)

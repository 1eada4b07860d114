"""Files from outside are small enough and what they should be, or an error of the reader's own type."""

import os
from pathlib import Path

import pytest

from exgs.scene.formats.bounded import parse_object, read_bytes, read_object


class Refusal(Exception):
    pass


def test_an_object_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text('{"name": "öl"}', encoding="utf-8")
    assert read_object(path, 100, Refusal) == {"name": "öl"}


@pytest.mark.parametrize(
    ("data", "says"),
    [(b"", "not a JSON"), (b"\xff", "not a JSON"), (b"[" * 100_000, "not a JSON"), (b"[]", "a JSON object")],
    ids=("nothing", "no text", "deep", "list"),
)
def test_what_is_no_object_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(Refusal, match=f"here: .*{says}") as refused:
        parse_object(data, "here", Refusal)
    assert len(str(refused.value)) < 200


def test_nothing_larger_than_expected_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(Refusal, match=r"a\.bin: 1,099,511,627,776 bytes, expected 1,000 at most"):
        read_bytes(path, 1000, Refusal)


def test_what_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"gone: No such file"):
        read_bytes(tmp_path / "gone", 1000, Refusal)
    with pytest.raises(Refusal, match="not a regular file"):
        read_bytes(tmp_path, 1000, Refusal)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(Refusal, match="not a regular file"):
        read_bytes(tmp_path / "pipe", 1000, Refusal)

"""Folders of data come back as they were written, or are refused before anything large is made of them."""

import json
import zipfile
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from exgs.training.layout import Layout, kind_of


class Refusal(Exception):
    pass


LAYOUT = Layout("toys.json", 3, "box of toys", "exgs toys make", ("large", "words"), Refusal)
ARRAYS = {"large": np.arange(2000, dtype=np.float32).reshape(2, 1000), "words": np.array(["a", "öl"])}


def test_a_folder_comes_back_as_it_was_written(tmp_path: Path) -> None:
    for scene in ("two.b", "one"):
        LAYOUT.write(tmp_path, scene, ARRAYS | {"other": np.zeros(3)})
    LAYOUT.write_index(tmp_path, {"seed": 5}, ["two.b", "one"])
    assert LAYOUT.read_index(tmp_path)["seed"] == 5
    assert [path.stem for path in LAYOUT.files(tmp_path)] == ["two.b", "one"]
    for path in LAYOUT.files(tmp_path):
        found = LAYOUT.read(path)
        assert set(found) == set(ARRAYS)
        assert all(np.array_equal(found[name], ARRAYS[name]) for name in ARRAYS)


def test_a_folder_without_an_index_is_refused_with_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match=r"toys\.json: no such file; 'exgs toys make' makes such a folder"):
        LAYOUT.files(tmp_path)


@pytest.mark.parametrize(
    "index",
    ["no json", "[]", '{"version": 9, "scenes": ["a"]}', '{"version": 3}', '{"version": 3, "scenes": []}',
     '{"version": 3, "scenes": ["../a"]}', '{"version": 3, "scenes": [3]}'],
)  # fmt: skip
def test_a_bad_index_is_refused(tmp_path: Path, index: str) -> None:
    (tmp_path / LAYOUT.index).write_text(index)
    with pytest.raises(Refusal, match=r"toys\.json: "):
        LAYOUT.files(tmp_path)


def test_a_scene_that_the_index_names_must_be_there(tmp_path: Path) -> None:
    (tmp_path / LAYOUT.index).write_text(json.dumps({"version": 3, "scenes": ["gone"]}))
    with pytest.raises(Refusal, match=r"gone\.npz: No such file"):
        LAYOUT.read(LAYOUT.files(tmp_path)[0])


@pytest.mark.parametrize("cut", [0, 30, 0.5, 0.99])
def test_a_truncated_file_is_refused(tmp_path: Path, cut: float) -> None:
    path = LAYOUT.write(tmp_path, "toy", ARRAYS)
    data = path.read_bytes()
    path.write_bytes(data[: cut if isinstance(cut, int) else int(cut * len(data))])
    with pytest.raises(Refusal, match=r"toy\.npz: not a box of toys"):
        LAYOUT.read(path)


def test_what_lacks_an_array_is_refused(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "toy.npz", large=ARRAYS["large"])
    with pytest.raises(Refusal, match="words"):
        LAYOUT.read(tmp_path / "toy.npz")


def test_arrays_larger_than_their_bytes_are_refused_before_they_are_made(tmp_path: Path) -> None:
    header = BytesIO()
    stated = {"descr": "|u1", "fortran_order": False, "shape": (10**9, 10**6, 10**3, 3)}
    np.lib.format.write_array_header_1_0(header, stated)
    with zipfile.ZipFile(tmp_path / "toy.npz", "w") as archive:
        archive.writestr("large.npy", header.getvalue())
    with pytest.raises(Refusal, match=r"large\.npy is cut short"):
        LAYOUT.read(tmp_path / "toy.npz")


def test_archives_packed_otherwise_are_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "toy.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("large.npy", b"whatever")
    with pytest.raises(Refusal, match="packed as none is"):
        LAYOUT.read(tmp_path / "toy.npz")


def test_interiors_are_known_by_their_names() -> None:
    assert kind_of("interior-101") == "interior"
    assert kind_of("skull") == "object"

"""The cache on disk: atomic, checked, bounded."""

import errno
import os
from pathlib import Path

import pytest

from exgs.server.cache import Cache
from exgs.server.errors import ServerError

KEY, OTHER, THIRD = "a" * 64, "b" * 64, "c" * 64


def _only_file(folder: Path) -> Path:
    (path,) = folder.iterdir()
    return path


def test_what_is_put_is_got(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "deep" / "cache")
    assert cache.get(KEY) is None
    assert cache.put(KEY, b"bytes")
    assert cache.get(KEY) == b"bytes" and cache.get(OTHER) is None
    assert Cache(tmp_path / "deep" / "cache").get(KEY) == b"bytes"


def test_put_replaces(tmp_path: Path) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, b"old")
    cache.put(KEY, b"new")
    assert cache.get(KEY) == b"new" and len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("damage", [b"", b"byte", b"bytez", b"bytes and more"])
def test_a_damaged_file_is_dropped(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path)
    cache.put(KEY, b"bytes")
    _only_file(tmp_path).write_bytes(damage)
    assert cache.get(KEY) is None
    assert list(tmp_path.iterdir()) == []


def test_the_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=10)
    cache.put(KEY, b"12345")
    cache.put(OTHER, b"12345")
    for path in tmp_path.iterdir():
        os.utime(path, (1000, 1000) if path.name.startswith(KEY) else (2000, 2000))
    assert cache.get(KEY) == b"12345"  # used now, so the other one is older
    assert cache.put(THIRD, b"12345")
    assert cache.get(OTHER) is None
    assert cache.get(KEY) == b"12345" and cache.get(THIRD) == b"12345"
    assert cache.size_bytes() == 10


def test_what_is_larger_than_the_cache_is_not_stored(tmp_path: Path) -> None:
    cache = Cache(tmp_path, max_bytes=10)
    cache.put(KEY, b"12345")
    assert not cache.put(OTHER, b"12345678901")
    assert cache.get(KEY) == b"12345"


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    cache = Cache(tmp_path)
    monkeypatch.setattr(os, call, full)
    assert not cache.put(KEY, b"bytes")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == [] and cache.get(KEY) is None


def test_a_half_written_file_is_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    real = os.replace
    monkeypatch.setattr(
        os, "replace", lambda a, b: (seen.append([p.suffix for p in tmp_path.iterdir()]), real(a, b))
    )
    Cache(tmp_path).put(KEY, b"bytes")
    assert seen == [[".tmp"]]


def test_only_stale_temporary_files_are_cleared(tmp_path: Path) -> None:
    stale, fresh, strange = tmp_path / "x.tmp", tmp_path / "y.tmp", tmp_path / "notes.txt"
    for path in (stale, fresh, strange):
        path.write_bytes(b"x")
    os.utime(stale, (1000, 1000))
    Cache(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "y.tmp"]


def test_strange_files_are_no_entries(tmp_path: Path) -> None:
    (tmp_path / f"{KEY}.ugc").write_bytes(b"x")
    (tmp_path / "notes.txt").write_bytes(b"x")
    cache = Cache(tmp_path, max_bytes=3)
    assert cache.get(KEY) is None and cache.size_bytes() == 0
    assert cache.put(KEY, b"123")
    assert (tmp_path / "notes.txt").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(ServerError, match="cache folder"):
        Cache(tmp_path / "file" / "cache")
    with pytest.raises(ServerError, match="file: is a file, expected a folder"):
        Cache(tmp_path / "file")

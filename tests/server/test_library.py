"""Opening scenes: as they are, from the cache, encoded once for all."""

import asyncio
import gc
import json
import logging
import threading
from pathlib import Path
from typing import Any

import pytest

from exgs.codec.encoding.config import EncodeConfig
from exgs.server import library as module
from exgs.server import peeking
from exgs.server.cache import Cache, cache_key
from exgs.server.catalogue import Catalogue, SceneEntry
from exgs.server.errors import SceneFailed, TookTooLong, UnknownScene
from exgs.server.library import Library
from exgs.server.peeking import Peeked


def _state(reports: list[module.SceneReport], name: str) -> module.SceneReport:
    return next(report for report in reports if report.name == name)


async def test_an_encoded_file_is_served_as_it_is(library: Library, encoded: bytes, pool: Any) -> None:
    scene = await library.open("statue")
    assert bytes(scene.container.data) == encoded and not pool.jobs
    report = _state(await library.list(), "statue")
    assert (report.state, report.size_bytes, report.splats) == ("ready", len(encoded), 24_000)


async def test_a_source_is_encoded_once_for_all_who_wait(library: Library, pool: Any) -> None:
    pool.go.clear()
    heard: list[float] = []
    waiting = [asyncio.create_task(library.open("room", heard.append)) for _ in range(3)]
    while not pool.jobs:
        await asyncio.sleep(0)
    assert _state(await library.list(), "room").state == "preparing"
    pool.go.set()
    scenes = await asyncio.gather(*waiting)
    assert len(pool.jobs) == 1 and scenes[0] is scenes[1] is scenes[2]
    assert heard.count(0.5) == 3
    assert await library.open("room") is scenes[0]


async def test_the_cache_outlives_the_server(library: Library, make_library: Any, make_pool: Any) -> None:
    await library.open("room")
    other = make_pool(SceneFailed("must not be called"))
    again = make_library(other)
    assert len((await again.open("room")).container.manifest) > 2
    assert not other.jobs


@pytest.mark.parametrize("damage", [b"", b"garbage"])
async def test_a_damaged_cache_is_rebuilt(
    library: Library, make_library: Any, make_pool: Any, tmp_path: Path, encoded: bytes, damage: bytes
) -> None:
    await library.open("room")
    (path,) = (tmp_path / "cache").iterdir()
    path.write_bytes(damage)
    pool = make_pool(encoded)
    await make_library(pool).open("room")
    assert len(pool.jobs) == 1
    (path,) = (tmp_path / "cache").iterdir()
    assert path.read_bytes() == encoded


async def test_a_cached_file_that_does_not_parse_is_rebuilt(
    library: Library, pool: Any, scenes: Path, tmp_path: Path
) -> None:
    """Its checksum holds, but it is no scene."""
    key = cache_key(Catalogue(scenes).find("room").content_hash(), EncodeConfig())
    Cache(tmp_path / "cache").put(key, b"sound bytes, no scene")
    assert (await library.open("room")).container.manifest
    assert len(pool.jobs) == 1


async def test_what_a_reconstruction_leaves_open_is_logged_and_listed(
    scenes: Path, make_library: Any, pool: Any, caplog: pytest.LogCaptureFixture
) -> None:
    (scenes / "flat").mkdir()
    (scenes / "flat" / "transforms.json").write_text("{}")
    notes = ("covers 98.0% of what the pictures show", "1 of 5 views stay empty")
    pool.notes = tuple(zip((logging.INFO, logging.WARNING), notes, strict=True))
    library = make_library(pool)
    caplog.set_level(logging.INFO, "exgs")
    await library.open("flat")
    said = [(record.levelno, record.message) for record in caplog.records]
    assert [pair for pair in said if pair[1].removeprefix("scene flat: ") in notes] == [
        (level, f"scene flat: {note}") for level, note in pool.notes
    ]
    told = "covers 98.0% of what the pictures show; 1 of 5 views stay empty"
    assert _state(await library.list(), "flat").detail == told
    assert not _state(await library.list(), "statue").detail
    library._shelf._kept.clear()
    gc.collect()
    report = _state(await library.list(), "flat")
    assert (report.state, report.detail) == ("new", told), "also when it is not open any more"


async def test_an_encoding_that_does_not_parse_is_not_cached(
    make_library: Any, make_pool: Any, tmp_path: Path
) -> None:
    with pytest.raises(SceneFailed):
        await make_library(make_pool(b"no scene")).open("room")
    assert list((tmp_path / "cache").iterdir()) == []


async def test_a_failing_scene_is_told_to_all_and_not_tried_again_at_once(
    library: Library, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.result = SceneFailed("too odd to encode")
    for _ in range(2):
        with pytest.raises(SceneFailed, match="too odd to encode"):
            await library.open("room")
    assert len(pool.jobs) == 1
    report = _state(await library.list(), "room")
    assert (report.state, report.detail) == ("failed", "too odd to encode")
    assert (await library.open("statue")).name == "statue"
    monkeypatch.setattr(module, "RETRY_AFTER_S", -1.0)
    with pytest.raises(SceneFailed):
        await library.open("room")
    assert len(pool.jobs) == 2


async def test_what_took_too_long_is_not_begun_again(
    library: Library, pool: Any, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool.result = TookTooLong("encoding it took longer than 7 s and was stopped")
    monkeypatch.setattr(module, "RETRY_AFTER_S", -1.0)
    monkeypatch.setattr(module, "RESCAN_AFTER_S", -1.0)
    for _ in range(2):
        with pytest.raises(SceneFailed, match=r"longer than 7 s and was stopped; a \.ugc of it"):
            await library.open("room")
    assert len(pool.jobs) == 1
    (scenes / "room.ply").write_bytes(b"another one, and smaller")
    with pytest.raises(SceneFailed):
        await library.open("room")
    assert len(pool.jobs) == 2


async def test_a_broken_encoded_file(library: Library, scenes: Path, encoded: bytes) -> None:
    (scenes / "statue.ugc").write_bytes(encoded[:-5])
    with pytest.raises(SceneFailed) as caught:
        await library.open("statue")
    assert str(scenes) not in str(caught.value)


async def test_a_viewer_who_leaves_does_not_stop_the_encoding(library: Library, pool: Any) -> None:
    pool.go.clear()
    leaver = asyncio.create_task(library.open("room"))
    stayer = asyncio.create_task(library.open("room"))
    while not pool.jobs:
        await asyncio.sleep(0)
    leaver.cancel()
    await asyncio.wait([leaver])
    pool.go.set()
    assert (await stayer).name == "room"


async def test_a_changed_file_is_another_scene(
    library: Library, scenes: Path, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RESCAN_AFTER_S", 0.0)
    first = await library.open("room")
    (scenes / "room.ply").write_bytes(b"other content")
    assert await library.open("room") is not first
    assert len(pool.jobs) == 2
    (scenes / "room.ply").unlink()
    with pytest.raises(UnknownScene):
        await library.open("room")


async def test_files_nobody_opened_tell_how_many_splats_they_show(library: Library, scenes: Path) -> None:
    report = _state(await library.list(), "statue")
    assert (report.state, report.splats) == ("ready", 24_000)
    (scenes / "statue.ugc").write_bytes(b"UGC?")
    library._scanned_s -= module.RESCAN_AFTER_S
    assert _state(await library.list(), "statue").splats == 0
    assert len(library._peeks._seen) == 2, "what is gone is forgotten"


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (lambda data: data[:-9], "of its"),
        (lambda data: data + b"tail", "4 bytes after the last chunk"),
        (lambda data: data[:100], "preamble at byte 100"),
        (lambda data: bytes(len(data)), "not a .ugc file"),
        (lambda data: b"", "prefix at byte 0"),
    ],
)
async def test_a_file_that_cannot_be_opened_is_listed_last_and_says_why(
    library: Library, scenes: Path, encoded: bytes, damage: Any, reason: str
) -> None:
    (scenes / "broken.ugc").write_bytes(damage(encoded))
    library._scanned_s -= module.RESCAN_AFTER_S
    reports = await library.list()
    assert [report.name for report in reports] == ["room", "statue", "broken"]
    assert reports[2].state == "failed" and reason in reports[2].detail and reports[2].splats == 0
    with pytest.raises(SceneFailed, match=reason):
        await library.open("broken")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("bad.ply", b"garbage", "bad.ply: expected a PLY file"),
        ("bad.ply", b"", "bad.ply: the file is empty"),
        ("bad.ply", b"ply\nformat ascii 1.0\n", "bad.ply: PLY header: no end_header"),
        ("bad.spz", b"NGSP", "bad.spz: SPZ header: 4 bytes"),
        ("bad.splat", bytes(33), "bad.splat: 33 bytes, expected a multiple of 32"),
        ("bad.sog", b"PK\x03\x04", "bad.sog: "),
        ("bad.compressed.ply", b"ply\n", "bad.compressed.ply: PLY header"),
    ],
)
async def test_a_source_whose_header_is_broken_is_listed_last_and_says_why(
    library: Library, scenes: Path, pool: Any, name: str, data: bytes, reason: str
) -> None:
    (scenes / name).write_bytes(data)
    library._scanned_s -= module.RESCAN_AFTER_S
    reports = await library.list()
    assert [(report.name, report.state) for report in reports] == [
        ("room", "new"), ("statue", "ready"), ("bad", "failed")
    ]  # fmt: skip
    assert reports[2].detail.startswith(reason)
    heard: list[float] = []
    with pytest.raises(SceneFailed) as refused:
        await library.open("bad", heard.append)
    assert str(refused.value) == reports[2].detail and not pool.jobs, "no process is begun for it"
    assert not heard, "nobody is told that it is being prepared"


async def test_a_source_cut_short_or_without_gaussians_is_listed_as_failed(
    library: Library, scenes: Path
) -> None:
    whole = (scenes / "room.ply").read_bytes()
    (scenes / "short.ply").write_bytes(whole[:-9])
    (scenes / "void.ply").write_bytes(whole[: whole.index(b"end_header")].replace(b"vertex 4", b"vertex 0"))
    with (scenes / "void.ply").open("ab") as file:
        file.write(b"end_header\n")
    library._scanned_s -= module.RESCAN_AFTER_S
    reports = await library.list()
    assert _state(reports, "short").detail.endswith(f"but the file has {len(whole) - 9}")
    assert _state(reports, "void").detail == "void.ply: a scene without Gaussians"


@pytest.mark.parametrize(
    ("index", "document", "reason"),
    [
        ("meta.json", {"version": 2}, "garden: meta.json: means: expected an object"),
        ("lod-meta.json", {"version": 2}, "lod-meta.json: version: 2, expected 1 to 1"),
    ],
)
async def test_what_is_said_of_a_broken_folder_names_no_place_on_the_disk(
    library: Library, scenes: Path, index: str, document: dict[str, int], reason: str
) -> None:
    (scenes / "garden").mkdir()
    (scenes / "garden" / index).write_text(json.dumps(document))
    library._scanned_s -= module.RESCAN_AFTER_S
    assert _state(await library.list(), "garden").detail == reason


async def test_who_asks_while_scenes_are_looked_at_looks_at_none_again(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def look(entry: SceneEntry) -> Peeked:
        looked.append(entry.name)
        return Peeked()

    monkeypatch.setattr(peeking, "peek", look)
    first, second = await asyncio.gather(library.list(), library.list())
    assert first == second and sorted(looked) == ["room", "statue"]


async def test_a_file_that_can_be_read_again_is_no_longer_listed_as_failed(
    library: Library, scenes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after ``chmod``, which leaves the size and the time of change of a file as they were."""

    def refused(path: Path, mode: str) -> None:
        raise PermissionError(13, "Permission denied", path)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refused)
        report = _state(await library.list(), "statue")
    assert (report.state, report.detail) == ("failed", "Permission denied")
    report = _state(await library.list(), "statue")
    assert (report.state, report.splats) == ("ready", 24_000)


async def test_closing_ends_encodings(library: Library, pool: Any) -> None:
    pool.go.clear()
    waiting = asyncio.create_task(library.open("room"))
    while not pool.jobs:
        await asyncio.sleep(0)
    await library.close()
    await asyncio.wait([waiting])
    assert waiting.cancelled()


async def test_a_slow_disk_keeps_nobody_from_the_list(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While an encoding is written into the cache, scenes are listed, looked for and opened."""
    monkeypatch.setattr(module, "RESCAN_AFTER_S", 0.0)
    loop, writing, go = asyncio.get_running_loop(), asyncio.Event(), threading.Event()
    put = Cache.put

    def slow(cache: Cache, key: str, data: bytes) -> bool:
        loop.call_soon_threadsafe(writing.set)
        assert go.wait(20)
        return put(cache, key, data)

    monkeypatch.setattr(Cache, "put", slow)
    opening = asyncio.create_task(library.open("room"))
    try:
        async with asyncio.timeout(10):
            await writing.wait()
            assert _state(await library.list(), "room").state == "preparing"
            assert (await library.open("statue")).name == "statue"
    finally:
        go.set()
    assert (await opening).name == "room"

"""Open scenes, kept for the next viewer within bounds."""

import pytest

from exgs.codec import open_container
from exgs.server import shelf
from exgs.server.errors import SceneFailed
from exgs.server.library import Library
from exgs.server.shelf import Shelf, opened


async def test_unwatched_scenes_are_let_go(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "KEEP_OPEN_BYTES", 1)
    for name in ("statue", "room"):
        await library.open(name)
    held = [scene.name for scene in library._shelf._open.values()]
    assert held == ["room"]
    states = [(report.name, report.splats) for report in await library.list()]
    assert states == [("room", 24_000), ("statue", 24_000)], "of a file its header tells"


def test_what_is_watched_stays_open_though_its_file_is_gone(encoded: bytes) -> None:
    kept, scene = Shelf(), opened("statue", open_container(encoded))
    kept.keep("stamp", scene)
    kept.forget_vanished(set())
    assert kept.get("stamp") is scene
    del scene
    assert kept.get("stamp") is None


@pytest.mark.parametrize("limit", ["MAX_CHUNKS", "MAX_MANIFEST_BYTES"])
def test_what_the_protocol_cannot_carry_is_refused(
    encoded: bytes, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    monkeypatch.setattr(shelf, limit, 1)
    with pytest.raises(SceneFailed, match="can be streamed"):
        opened("statue", open_container(encoded))

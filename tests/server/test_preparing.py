"""Scenes made ready. What waits for it, and is told meanwhile, is tested with the library."""

from pathlib import Path
from typing import Any

import pytest

from exgs.server import preparing
from exgs.server.errors import SceneFailed
from exgs.server.library import Library


async def test_a_file_too_large_for_memory_is_refused(
    library: Library, encoded: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "MAX_FILE_BYTES", len(encoded) - 1)
    with pytest.raises(SceneFailed, match=f"{len(encoded)} bytes, at most {len(encoded) - 1} can be served"):
        await library.open("statue")


async def test_views_are_made_again_for_another_network(
    scenes: Path, make_library: Any, pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (scenes / "flat").mkdir()
    (scenes / "flat" / "transforms.json").write_text("{}")
    for checksum, jobs in (("first", 2), ("first", 2), ("second", 3)):
        monkeypatch.setattr(preparing, "network_checksum", lambda checksum=checksum: checksum)
        again = make_library(pool)
        await again.open("room")
        await again.open("flat")
        assert len(pool.jobs) == jobs

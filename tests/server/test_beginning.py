"""The beginning of a scene by HTTP."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from exgs.codec import open_container, parse_preamble
from exgs.server import beginning
from exgs.server.beginning import beginning_bytes
from exgs.server.config import Limits, ServerConfig
from exgs.server.service import serve


@pytest.fixture
def config(scenes: Path, tmp_path: Path) -> ServerConfig:
    return ServerConfig(scenes=scenes, cache=tmp_path / "cache", port=0)


async def get(config: ServerConfig, *paths: str, token: str = "") -> list[tuple[int, bytes, str]]:
    """Status, body and scene of each answer of one server."""
    answers = []
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with serve(config) as server, aiohttp.ClientSession(server.url, headers=headers) as http:
        for path in paths:
            async with http.get(path) as response:
                scene = response.headers.get("Exgs-Scene", "")
                answers.append((response.status, await response.read(), scene))
    return answers


async def test_it_is_the_file_up_to_the_end_of_the_coarsest_level(
    config: ServerConfig, encoded: bytes
) -> None:
    [(status, body, scene)] = await get(config, "/beginning/statue")
    assert (status, scene) == (200, "statue")
    assert encoded.startswith(body) and len(body) < len(encoded) / 2
    chunks = parse_preamble(body).chunks
    assert {chunk.level for chunk in chunks if chunk.offset + chunk.size_bytes <= len(body)} == {1}
    assert [chunk.level for chunk in chunks if chunk.offset == len(body)] == [0], "and all of that level"


async def test_without_a_name_it_is_that_of_the_first_scene(config: ServerConfig, scenes: Path) -> None:
    (scenes / "room.ply").unlink()
    [(status, _, scene)] = await get(config, "/beginning")
    assert (status, scene) == (200, "statue")


async def test_what_must_be_encoded_first_or_is_not_there(config: ServerConfig) -> None:
    answers = await get(
        config, "/beginning", "/beginning/room", "/beginning/nothing", "/beginning/..%2Fstatue"
    )
    assert [status for status, _, _ in answers] == [409, 409, 404, 404], "the first in the list is room"


async def test_the_token_guards_it(config: ServerConfig) -> None:
    guarded = replace(config, token="open-sesame")
    assert [status for status, _, _ in await get(guarded, "/beginning/statue")] == [401]
    answers = await get(guarded, "/beginning/statue", token="open-sesame")
    assert [status for status, _, _ in answers] == [200]


async def test_an_address_may_not_ask_for_ever(config: ServerConfig) -> None:
    limited = replace(config, limits=Limits(calls=2, calls_per_s=0.01))
    answers = await get(limited, *["/beginning/statue"] * 3)
    assert [status for status, _, _ in answers] == [200, 200, 429]


async def test_a_full_server_gives_none(config: ServerConfig) -> None:
    [(status, _, _)] = await get(replace(config, limits=Limits(max_sessions=0)), "/beginning/statue")
    assert status == 503


def test_its_length_is_bounded(encoded: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    container = open_container(encoded)
    assert len(container.preamble) < beginning_bytes(container) <= beginning.MAX_BEGINNING_BYTES
    first = container.manifest[0]
    monkeypatch.setattr(beginning, "MAX_BEGINNING_BYTES", first.offset + first.size_bytes + 1)
    assert beginning_bytes(container) == first.offset + first.size_bytes
    monkeypatch.setattr(beginning, "MAX_BEGINNING_BYTES", first.offset + 1)
    assert beginning_bytes(container) == 0, "without a chunk it is of no use"

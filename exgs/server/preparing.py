"""Makes scenes on disk ready: as they are, from the cache, or by encoding them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable

from exgs.codec import CodecError, Container, EncodeConfig, open_container
from exgs.server.cache import Cache, cache_key
from exgs.server.catalogue import SceneEntry
from exgs.server.errors import SceneFailed, TookTooLong
from exgs.server.metrics import Metrics
from exgs.server.pool import WorkerPool
from exgs.server.worker import Job, network_checksum

MAX_FILE_BYTES = 4 << 30
"""A larger .ugc file is refused: an open scene lies in memory."""

Advance = Callable[[float], None]
"""Hears the share that is done, 0 to 1."""

logger = logging.getLogger(__name__)


class Preparer:
    """Gives the container of any scene on disk. Reads disks in threads, encodes in processes."""

    def __init__(self, cache: Cache, pool: WorkerPool, *, config: EncodeConfig, metrics: Metrics) -> None:
        self._cache, self._pool, self._config, self._metrics = cache, pool, config, metrics
        self._caching = asyncio.Lock()

    async def container(self, entry: SceneEntry, advance: Advance, notes: list[str]) -> Container:
        """The container of ``entry``, which may take an encoding; what that has to say replaces ``notes``.

        Raises:
            ServerError: it cannot be made.
            CodecError: the file is no sound ``.ugc``.
            OSError: what lies on the disk cannot be read, or the cache not be written.
        """
        return await (self._read(entry) if entry.encoded else self._from_source(entry, advance, notes))

    async def _read(self, entry: SceneEntry) -> Container:
        if entry.size_bytes > MAX_FILE_BYTES:
            raise SceneFailed(f"{entry.size_bytes} bytes, at most {MAX_FILE_BYTES} can be served")
        return await asyncio.to_thread(lambda: open_container(entry.path.read_bytes()))

    async def _from_source(self, entry: SceneEntry, advance: Advance, notes: list[str]) -> Container:
        key = await asyncio.to_thread(_key, entry, self._config)
        async with self._caching:
            cached = await asyncio.to_thread(self._cache.get, key)
        if cached is not None:
            with contextlib.suppress(CodecError):
                container = await asyncio.to_thread(open_container, cached)
                self._metrics.cache_hits.inc()
                return container
        self._metrics.cache_misses.inc()
        data = await self._encode(entry, advance, notes)
        container = await asyncio.to_thread(open_container, data)
        if await asyncio.to_thread(_key, entry, self._config) == key:
            async with self._caching:
                await asyncio.to_thread(self._cache.put, key, data)
        return container

    async def _encode(self, entry: SceneEntry, advance: Advance, notes: list[str]) -> bytes:
        started_s = time.monotonic()
        logger.info("scene %s: encoding %d bytes", entry.name, entry.size_bytes)
        notes.clear()

        def note(level: int, text: str) -> None:
            logger.log(level, "scene %s: %s", entry.name, text)
            notes.append(text)

        with self._metrics.encoding():
            try:
                data = await self._pool.run(Job(entry.path, self._config), advance, note)
            except TookTooLong as error:
                raise TookTooLong(f"{error}; a .ugc of it can be served at once ('exgs encode')") from error
        seconds = time.monotonic() - started_s
        logger.info("scene %s: encoded to %d bytes in %.1f s", entry.name, len(data), seconds)
        return data


def _key(entry: SceneEntry, config: EncodeConfig) -> str:
    """What the scene, encoded so, is kept under; of views the network that sees them is part of it."""
    content = entry.content_hash()
    return cache_key(f"{content} {network_checksum()}" if entry.views else content, config)

"""Work in a thread that an event loop can end in good order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


async def in_thread(body: Callable[[], None], stop: Callable[[], None], *, name: str) -> None:
    """Runs ``body`` in a thread of its own. Cancelled, it calls ``stop`` and waits for ``body`` to return."""
    pool = ThreadPoolExecutor(1, thread_name_prefix=name)
    future = asyncio.get_running_loop().run_in_executor(pool, body)
    pool.shutdown(wait=False)
    try:
        await asyncio.shield(future)
    except asyncio.CancelledError:
        stop()
        await future
        raise

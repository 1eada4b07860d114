"""A whole server: put together, run, and taken down in order."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import signal
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from aiohttp import web

from exgs.protocol import Transport
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.server.beginning import Beginnings
from exgs.server.cache import Cache
from exgs.server.catalogue import Catalogue
from exgs.server.config import ServerConfig
from exgs.server.errors import ServerError
from exgs.server.house import House
from exgs.server.library import Library, SceneReport
from exgs.server.load import Load
from exgs.server.metrics import Metrics
from exgs.server.orders import ORDERS
from exgs.server.pool import WorkerPool
from exgs.server.reception import Answerer, Reception
from exgs.server.scouting import LOOK_TIMEOUT_S, Scouts
from exgs.server.signalling import Signalling
from exgs.server.tickets import prepare
from exgs.server.tls import tls_context
from exgs.server.turns import Turns
from exgs.server.uplink import Uplink


@dataclass(frozen=True, eq=False)
class RunningServer:
    """A server that takes viewers."""

    host: str
    """Where it listens."""
    port: int
    """The TCP port it listens on."""
    catalogue: Catalogue
    """What lies on its disk."""
    library: Library
    """Its scenes."""
    reception: Reception
    """Its viewers."""
    metrics: Metrics
    """Its figures."""
    scheme: str = "http"
    """``https`` where it has a certificate."""

    @property
    def url(self) -> str:
        """What to give to ``exgs play`` on this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(self.host, self.host)
        return (
            f"{self.scheme}://[{host}]:{self.port}" if ":" in host else f"{self.scheme}://{host}:{self.port}"
        )

    async def scenes(self) -> list[SceneReport]:
        """Every scene and how it stands."""
        return await self.library.list()

    async def passed_over(self) -> list[tuple[str, str]]:
        """Folders that look like views and are served as no scene, each with what it lacks."""
        return await asyncio.to_thread(self.catalogue.passed_over)


@contextlib.asynccontextmanager
async def serve(config: ServerConfig, *, answerer: Answerer | None = None) -> AsyncIterator[RunningServer]:
    """Serves until the block is left, then says goodbye to all viewers and ends what runs.

    ``answerer`` takes the place of WebRTC where sessions are carried by something else.

    Raises:
        ServerError: the folder or file is not there, the file is no scene, the cache cannot be used, or the
            port is not to be had.
    """
    _check(config)
    tls = None if config.tls_certificate is None else tls_context(config.tls_certificate, config.tls_key)
    if config.token is not None:
        await asyncio.to_thread(prepare, config.token)
    metrics, load = Metrics(), Load()
    catalogue = await asyncio.to_thread(Catalogue, config.scenes)
    library = await _library(config, catalogue, metrics)
    house = House(library, metrics, Uplink(Turns(config.max_bytes_per_s)), load, ORDERS[config.order])
    reception = Reception(
        house, limits=config.limits, connection=config.connection, answerer=answerer or _answerer(config)
    )
    runner = _runner(config, house, reception)
    watching = asyncio.create_task(load.watch(), name="load")
    try:
        port = await _listen(runner, config, tls)
        yield RunningServer(
            config.host, port, catalogue, library, reception, metrics, "http" if tls is None else "https"
        )
    finally:
        watching.cancel()
        for site in list(runner.sites):
            await site.stop()
        await reception.close()
        await library.close()
        await runner.cleanup()


async def run_server(
    config: ServerConfig,
    ready: Callable[[RunningServer], Awaitable[None]],
    *,
    signals: Sequence[signal.Signals] = (signal.SIGINT, signal.SIGTERM),
) -> None:
    """Serves until one of ``signals`` comes; ``ready`` is called once, when viewers may come.

    Must run on the main thread's event loop.

    Raises:
        ServerError: as for ``serve``.
    """
    stop = asyncio.Event()
    with _heard(signals, stop.set):
        async with serve(config) as server:
            await ready(server)
            await stop.wait()


@contextlib.contextmanager
def _heard(signals: Sequence[signal.Signals], told: Callable[[], None]) -> Iterator[None]:
    """Calls ``told`` when one of ``signals`` comes; where the loop cannot (Windows) an interrupt raises
    KeyboardInterrupt as ever."""
    loop = asyncio.get_running_loop()
    with contextlib.ExitStack() as heard:
        with contextlib.suppress(NotImplementedError):
            for number in signals:
                loop.add_signal_handler(number, told)
                heard.callback(loop.remove_signal_handler, number)
        yield


def _check(config: ServerConfig) -> None:
    """Finds what cannot be served with, before anything is made."""
    if config.cache.resolve() == config.scenes.resolve():
        raise ServerError(f"{config.cache}: the cache must lie elsewhere than the scenes")
    if config.order not in ORDERS:
        raise ServerError(f"order {config.order!r}: expected one of {', '.join(ORDERS)}")


async def _library(config: ServerConfig, catalogue: Catalogue, metrics: Metrics) -> Library:
    """The scenes, with those who encode them and look at them."""
    cache = await asyncio.to_thread(lambda: Cache(config.cache, max_bytes=config.cache_bytes))
    looks = ORDERS[config.order].follows_head
    scouts = Scouts(WorkerPool(timeout_s=LOOK_TIMEOUT_S)) if looks else None
    pool = WorkerPool(workers=config.encoders, timeout_s=config.encode_timeout_s)
    return Library(catalogue, cache, pool, config=config.encode, metrics=metrics, scouts=scouts)


def _answerer(config: ServerConfig) -> Answerer:
    async def answer(offer: str) -> tuple[Transport, str]:
        return await WebRtcTransport.answer(offer, config.webrtc)

    return answer


def _runner(config: ServerConfig, house: House, reception: Reception) -> web.AppRunner:
    """The web side, not yet listening."""
    beginnings = Beginnings(house, reception, config.limits)
    return web.AppRunner(
        Signalling(config, house.library, reception, beginnings, house.metrics).application(),
        access_log=None,
        handle_signals=False,
        shutdown_timeout=config.limits.shutdown_s,
    )


async def _listen(runner: web.AppRunner, config: ServerConfig, tls: ssl.SSLContext | None) -> int:
    """Starts to listen; gives the port."""
    host, port = config.host, config.port
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=tls).start()
    except OverflowError as error:
        raise ServerError(f"port {port}: expected 0 to 65535") from error
    except OSError as error:
        raise ServerError(f"cannot listen at {host} port {port}: {_refusal(error)}") from error
    return int(runner.addresses[0][1])


def _refusal(error: OSError) -> str:
    """Why it cannot listen there, and what would help."""
    if error.errno == errno.EADDRINUSE:
        return "it is in use; choose another with --port"
    if error.errno == errno.EACCES:
        return "that is not allowed; choose one above 1023 with --port"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; choose another with --host"
    return f"{error.strerror}; choose another with --host"

"""Plays trials for real: server, client, real peer connections, and a relay that shapes their packets.

All of it lives in this process, on one event loop, with the decoder in a thread beside it; nothing is drawn.
The signalling port lies on this machine: the trips of TCP and HTTP up to the server's answer are waited for
(what follows the answer goes through the relay, and takes as long as if the answer did).
"""

from __future__ import annotations

import asyncio
import tempfile
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from exgs.client.beginning import Beginning, fetch_beginning
from exgs.client.clock import WallClock
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.lifeline import Lifeline
from exgs.client.opening import open_scene
from exgs.client.optics import Optics
from exgs.client.receiving import Reception
from exgs.client.sample import SAMPLE
from exgs.client.signalling import Answered, Link, connect
from exgs.client.threads import brisk_switching, in_thread
from exgs.client.views import head_view, send_views
from exgs.codec import Container, decode
from exgs.experiments.errors import ExperimentError
from exgs.experiments.fetching import LiveFetch
from exgs.experiments.ledger import Ledger, Way
from exgs.experiments.observing import TappedTransport, WatchedWorker, Witness
from exgs.experiments.relay import UdpRelay
from exgs.experiments.timeline import Timeline, Trial
from exgs.protocol import Transport
from exgs.protocol.megabits import bytes_per_s
from exgs.server.config import ServerConfig
from exgs.server.service import serve

LOOK_S = 0.05
"""How often it is looked at what holds the scene back."""


def play_real(
    trial: Trial, *, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None
) -> Timeline:
    """Plays a trial, which takes as long as it says. Cannot be called from an event loop.

    ``loop_factory`` makes another event loop than asyncio's own, such as uvloop's.

    Raises:
        ExperimentError: the trial is a download, or the session does not come about.
    """
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        return runner.run(play_on_loop(trial))


async def play_on_loop(trial: Trial) -> Timeline:
    """Plays a trial on the running event loop.

    Raises:
        ExperimentError: the trial is a download, or the session does not come about.
    """
    if not isinstance(trial.scene, Container) or trial.system == "download":
        raise ExperimentError("a download is played on virtual time alone: TCP cannot be shaped from here")
    if trial.mishaps:
        raise ExperimentError("mishaps are played on virtual time alone")
    await asyncio.to_thread(decode, SAMPLE)  # compiles kernels
    with tempfile.TemporaryDirectory(prefix="exgs-trial-") as folder:
        scene = Path(folder) / "scene.ugc"
        scene.write_bytes(trial.scene.data)
        session = _Session(trial)
        config = ServerConfig(
            scene, Path(folder) / "cache", port=0, order=trial.system,
            connection=replace(ServerConfig(scene, scene).connection, max_links=trial.max_links),
        )  # fmt: skip
        async with serve(config, answerer=session.answer) as server:
            return await session.play(server.url)


class _Session:
    """A client and what it is watched by. Lives on one event loop."""

    def __init__(self, trial: Trial) -> None:
        self._trial, self._ledger = trial, Ledger(trial)
        self._clock = WallClock()
        self._offer_s = self._clock.now()
        self._witness = Witness(self._ledger, self._since_offer_s)
        self._optics = Optics(trial.size, trial.fov_y_rad, None)
        self._covered, self._content = asyncio.Event(), asyncio.Event()
        self._limiters: list[tuple[float, str]] = [(0.0, "handshake")]
        self._links = 0
        self._relay: UdpRelay | None = None

    async def answer(self, offer: str) -> tuple[Transport, str]:
        """The server's end of the transport."""
        transport, answer = await TappedTransport.answer(offer)
        assert isinstance(transport, TappedTransport)
        transport.on_chunk = lambda chunk: self._ledger.chosen_anew(chunk, self._since_offer_s())
        return transport, answer

    async def play(self, url: str) -> Timeline:
        """Plays to the end."""
        trial = self._trial
        config = PlayConfig(
            url, fps=trial.fps, size=trial.size, seconds=trial.seconds, max_splats=trial.max_splats or 0,
            max_bytes_per_s=bytes_per_s(trial.max_mbps),
        )  # fmt: skip
        up, down = replace(trial.up, seed=2 * trial.seed + 1), replace(trial.down, seed=2 * trial.seed)
        self._offer_s = self._clock.now()
        async with UdpRelay(up=up, down=down) as relay:
            self._relay = relay
            line = Lifeline(config, self._connect, say=self._say)
            try:
                async with asyncio.timeout(trial.seconds):
                    await self._run(line, config)
            except TimeoutError:
                self._limiters.append((trial.seconds, self._limiters[-1][1]))
            except ClientError as error:
                raise ExperimentError(f"the session did not come about: {error}") from error
            finally:
                repeated = line.path.repeated_bytes if line.carrier else 0
                counts = replace(relay.up.link.counts), replace(relay.down.link.counts)
                await line.hang_up()
        way = Way(*counts, self._links, line.reconnects, repeated)
        return self._ledger.timeline("real", way, self._limiter_at)

    async def _run(self, line: Lifeline, config: PlayConfig) -> None:
        """Until nothing can change any more what is on display; the caller sets the limit."""
        scene = await open_scene(
            line, None, timeout_s=config.connect_timeout_s, say=self._say,
            beginning=self._begin(config) if self._trial.early else None,
        )  # fmt: skip
        self._ledger.manifest_s = self._since_offer_s()
        worker = WatchedWorker(
            self._trial, scene.preamble, self._ledger, self._witness,
            clock=self._clock, offer_s=self._offer_s,
        )  # fmt: skip
        reception = Reception(line, scene, worker, clock=self._clock, say=self._say)
        self._listen(reception)
        path = self._trial.path
        worker.look = lambda: head_view(path, self._optics, self._since_offer_s())
        with brisk_switching():
            tasks = [
                asyncio.create_task(in_thread(worker.run, worker.close, name="exgs-decode")),
                asyncio.create_task(reception.run()),
                asyncio.create_task(self._look(line, reception)),
                asyncio.create_task(self._tell_views(line)),
            ]
            content = asyncio.create_task(self._content.wait())
            try:
                done, _ = await asyncio.wait([content, *tasks], return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()  # raises where one has failed
                await self._content.wait()
            finally:
                content.cancel()
                reception.leave()
                await line.close()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _listen(self, reception: Reception) -> None:
        """What the decoder's thread tells, brought to the event loop."""
        loop, witness = asyncio.get_running_loop(), self._witness
        witness.on_decoded = lambda: _soon(loop, reception.decoded)
        witness.on_forgotten = lambda chunks: _soon(loop, reception.forgotten, chunks)
        witness.on_published = lambda snapshot: _soon(loop, self._published)

    def _published(self) -> None:
        snapshot = self._witness.newest
        assert snapshot is not None
        if snapshot.base:
            self._covered.set()
        if snapshot.complete and self._trial.max_splats is None:
            self._limiters.append((self._since_offer_s(), "complete"))
            self._content.set()

    async def _tell_views(self, line: Lifeline) -> None:
        """Poses go to the server from the first picture on, as the client does it."""
        await self._covered.wait()
        await send_views(
            line.send, self._trial.path, self._optics,
            start_s=self._offer_s, rate_hz=self._trial.fps, clock=self._clock,
        )  # fmt: skip

    async def _look(self, line: Lifeline, reception: Reception) -> None:
        while True:
            self._links = max(self._links, line.path.links)
            if reception.limiter != self._limiters[-1][1]:
                self._limiters.append((self._since_offer_s(), reception.limiter))
            await asyncio.sleep(LOOK_S)

    async def _begin(self, config: PlayConfig) -> Beginning | None:
        """What the server gives, after the time that it takes over the links of the relay."""
        assert self._relay is not None and isinstance(self._trial.scene, Container)
        fetch = LiveFetch(self._trial.scene, self._relay, self._since_offer_s)
        waiting = asyncio.create_task(fetch.whole())
        try:
            found = await fetch_beginning(config)
            await waiting
        finally:
            waiting.cancel()
        if found is not None:
            self._ledger.opened_s = fetch.requested_s
            for chunk, _ in found.chunks:
                self._ledger.chosen(chunk, fetch.requested_s)
        return found

    async def _connect(self, config: PlayConfig, answered: Answered) -> Link:
        """As the client connects, but by way of the relay, and with the round trips of its signalling."""
        await asyncio.sleep(2 * self._trial.up.delay_s + self._trial.down.delay_s)
        return await connect(config, answered, route=self._relay)

    def _say(self, kind: str, text: str) -> None:
        if kind == "opened" and self._ledger.opened_s is None:
            self._ledger.opened_s = self._since_offer_s()

    def _since_offer_s(self) -> float:
        return self._clock.now() - self._offer_s

    def _limiter_at(self, time_s: float) -> str:
        return self._limiters[bisect_right(self._limiters, (time_s, "~")) - 1][1]


def _soon(loop: asyncio.AbstractEventLoop, call: object, *args: object) -> None:
    """Calls on the event loop, from another thread; not any more where it is closed."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(call, *args)  # type: ignore[arg-type]

"""What both ends of a session take from the command line, and how they end."""

import argparse
import asyncio
import os
import signal

import pytest

from exgs.cli import network
from exgs.cli.process import ending_on_signals
from exgs.protocol.drivers.settings import IceServer


def test_servers_may_be_repeated() -> None:
    parser = argparse.ArgumentParser()
    network.add_ice_servers(parser)
    args = parser.parse_args(["--ice-server", "stun:a:1", "--ice-server", "turn:u:s@b"])
    assert args.ice_server == [IceServer("stun:a:1"), IceServer("turn:b", "u", "s")]
    assert parser.parse_args([]).ice_server == []


def test_an_address_of_no_server_is_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser()
    network.add_ice_servers(parser)
    with pytest.raises(SystemExit) as caught:
        parser.parse_args(["--ice-server", "example.org"])
    assert caught.value.code == 2
    assert "'example.org': expected stun:HOST:PORT" in capsys.readouterr().err


async def _ends_itself(ended: list[str], number: signal.Signals) -> None:
    try:
        os.kill(os.getpid(), number)
        await asyncio.Event().wait()
    finally:
        ended.append("in order")


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals here")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_a_signal_that_asks_for_the_end_ends_the_work_in_order(name: str) -> None:
    ended: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        network.run(_ends_itself(ended, signal.Signals[name]))
    assert ended == ["in order"]


@pytest.mark.skipif(os.name != "posix", reason="there are no such signals here")
def test_afterwards_signals_are_what_they_were_before() -> None:
    async def work() -> None:
        assert signal.getsignal(signal.SIGTERM) is not before

    with ending_on_signals():
        before = signal.getsignal(signal.SIGTERM)
        network.run(work())
        assert signal.getsignal(signal.SIGTERM) is before


def test_the_result_of_the_work_is_given_back() -> None:
    async def work() -> int:
        return 7

    assert network.run(work()) == 7

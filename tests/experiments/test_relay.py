"""Real peer connections through the relay."""

import asyncio

import pytest

from exgs.experiments.errors import ExperimentError
from exgs.experiments.link import LinkSettings
from exgs.experiments.rates import Rate
from exgs.experiments.relay import UdpRelay, rewritten
from exgs.protocol import Channel, Endpoint, Role, TransportError
from exgs.protocol.drivers.links import WebRtcTransport
from exgs.protocol.drivers.settings import WebRtcConfig

SDP = (
    "v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"
    "a=candidate:1 1 udp 2130706431 192.0.2.7 4000 typ host\r\n"
    "a=candidate:2 1 udp 2130706431 fd00::7 4001 typ host\r\n"
    "a=candidate:3 1 udp 1694498815 203.0.113.1 4002 typ srflx raddr 192.0.2.7 rport 4000\r\n"
    "a=end-of-candidates\r\n"
)


def test_the_relay_is_the_only_candidate() -> None:
    made = rewritten(SDP, ("127.0.0.1", 5005)).splitlines()
    assert [line for line in made if line.startswith("a=candidate")] == [
        "a=candidate:1 1 udp 2130706431 127.0.0.1 5005 typ host"
    ]
    assert len(made) == len(SDP.splitlines()) - 2


async def test_an_offer_without_an_address_is_refused() -> None:
    async with UdpRelay() as relay:
        with pytest.raises(ExperimentError, match="no IPv4 address"):
            await relay.detour("v=0\r\na=candidate:2 1 udp 2130706431 fd00::7 4001 typ host\r\n")


async def _pair(relay: UdpRelay) -> tuple[WebRtcTransport, WebRtcTransport]:
    try:
        client, offer = await WebRtcTransport.offer(WebRtcConfig(route=relay))
    except TransportError as error:
        pytest.skip(str(error))
    server, answer = await WebRtcTransport.answer(offer)
    await client.accept(answer)
    return client, server


@pytest.mark.end_to_end
async def test_a_session_passes_and_is_delayed() -> None:
    slow = LinkSettings(rate=Rate.constant(20.0), delay_s=0.03)
    async with UdpRelay(up=LinkSettings(delay_s=0.03), down=slow) as relay:
        client, server = await _pair(relay)
        async with Endpoint(Role.SERVER, server) as one, Endpoint(Role.CLIENT, client) as other:
            async with asyncio.timeout(20):
                await other.opened()
                await one.opened()
                while one.rtt_s is None:
                    await asyncio.sleep(0.02)
            assert 0.06 <= one.rtt_s < 0.5
        assert relay.up.link.counts.packets > 10
        assert relay.down.link.counts.lost == 0


@pytest.mark.end_to_end
async def test_a_cut_detour_lets_nothing_pass() -> None:
    async with UdpRelay() as relay:
        client, server = await _pair(relay)
        async with Endpoint(Role.SERVER, server) as one, Endpoint(Role.CLIENT, client) as other:
            async with asyncio.timeout(20):
                await other.opened()
                await one.opened()
            relay.detours[0].close()
            before = one.bytes_received[Channel.POSE]
            await asyncio.sleep(0.7)
            assert one.bytes_received[Channel.POSE] <= before + 32

"""What is let near the WebRTC library."""

import pytest

from exgs.protocol import CloseCode, RemoteProtocolError
from exgs.protocol.drivers.sdp import check_sdp, count_candidates

GOOD = "\r\n".join(
    [
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        "s=-",
        "t=0 0",
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel",
        "a=candidate:1 1 udp 2130706431 192.0.2.1 5000 typ host",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:0123456789012345678901",
        "a=fingerprint:sha-256 00:11",
        "",
    ]
)


def test_a_data_channel_offer_passes() -> None:
    check_sdp(GOOD)
    assert count_candidates(GOOD) == 1


@pytest.mark.parametrize(
    ("sdp", "complaint"),
    [
        ("", "begins with v=0"),
        ("hello", "begins with v=0"),
        (GOOD.replace("s=-", "s=ü"), "ASCII"),
        (GOOD + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", "found 2 sections"),
        (GOOD.replace("m=application", "m=audio"), "found 1 sections"),
        (GOOD.replace("webrtc-datachannel", "5000").replace("UDP/DTLS/SCTP", "RTP/AVP"), "no data channels"),
        (GOOD.replace("a=ice-pwd", "a=ice-pwt"), "ice-pwd is missing"),
        (GOOD.replace("a=fingerprint", "a=print"), "fingerprint is missing"),
        (GOOD + "a=candidate:1 1 udp 1 192.0.2.1 1 typ host\r\n" * 64, "candidates"),
        (GOOD + "a=x:" + "y" * 2100, "2048 characters"),
    ],
)
def test_anything_else_is_malformed(sdp: str, complaint: str) -> None:
    with pytest.raises(RemoteProtocolError, match=complaint) as caught:
        check_sdp(sdp)
    assert caught.value.close_code is CloseCode.MALFORMED


def test_a_huge_description_is_too_large() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        check_sdp(GOOD + "a=x\r\n" * 10_000)
    assert caught.value.close_code is CloseCode.TOO_LARGE

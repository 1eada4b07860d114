"""What a session description must look like before a WebRTC library is let near it."""

from __future__ import annotations

from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.vocabulary import MAX_SDP_BYTES, CloseCode

MAX_CANDIDATES = 64
MAX_LINE_CHARACTERS = 2048


def check_sdp(sdp: str) -> None:
    """Lets through a description of one data channel section and nothing else.

    Raises:
        RemoteProtocolError: it is too large, is none, has other media, or names too many addresses.
    """
    if len(sdp.encode("utf-8", "replace")) > MAX_SDP_BYTES:
        raise RemoteProtocolError(f"SDP of more than {MAX_SDP_BYTES} bytes", close_code=CloseCode.TOO_LARGE)
    if not sdp.isascii() or not sdp.startswith("v=0"):
        raise _malformed("expected ASCII text that begins with v=0")
    lines = sdp.splitlines()
    if any(len(line) > MAX_LINE_CHARACTERS for line in lines):
        raise _malformed(f"a line of more than {MAX_LINE_CHARACTERS} characters")
    media = [line for line in lines if line.startswith("m=")]
    if len(media) != 1 or not media[0].startswith("m=application "):
        raise _malformed(f"expected one m=application section, found {len(media)} sections")
    if "webrtc-datachannel" not in media[0] and "DTLS/SCTP" not in media[0]:
        raise _malformed("its section carries no data channels")
    for needed in ("a=ice-ufrag:", "a=ice-pwd:", "a=fingerprint:"):
        if not any(line.startswith(needed) for line in lines):
            raise _malformed(f"{needed[2:-1]} is missing")
    if count_candidates(sdp) > MAX_CANDIDATES:
        raise _malformed(f"more than {MAX_CANDIDATES} candidates")


def count_candidates(sdp: str) -> int:
    """How many addresses the description names."""
    return sum(line.startswith("a=candidate:") for line in sdp.splitlines())


def _malformed(wrong: str) -> RemoteProtocolError:
    return RemoteProtocolError(f"SDP: {wrong}", close_code=CloseCode.MALFORMED)

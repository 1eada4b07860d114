import pytest

from exgs.protocol.drivers.settings import IceServer


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("stun:host", IceServer("stun:host")),
        ("stun:host:3478", IceServer("stun:host:3478")),
        ("turn:me:secret@host:3478", IceServer("turn:host:3478", "me", "secret")),
        ("turns:me:a:b@host?transport=tcp", IceServer("turns:host?transport=tcp", "me", "a:b")),
    ],
)
def test_addresses_are_read(url: str, server: IceServer):
    assert IceServer.from_url(url) == server


@pytest.mark.parametrize(
    "url",
    [
        "",
        "host:3478",
        "http://host",
        "stun:",
        "stun:host:port",
        "stun:me:secret@host",
        "stun:host?transport=udp",
        "turn:host",
        "turn:me@host",
        "turn:me:secret@host?transport=carrier-pigeon",
        "stun:a b",
    ],
)
def test_what_is_no_address_is_refused(url: str):
    with pytest.raises(ValueError, match="expected stun:HOST:PORT or turn:USER:SECRET@HOST:PORT"):
        IceServer.from_url(url)


def test_the_credential_is_in_no_representation():
    assert "sesame" not in repr(IceServer.from_url("turn:me:sesame@host"))

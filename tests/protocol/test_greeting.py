"""Hello and Welcome."""

import pytest

from exgs.protocol import CloseCode, ConnectionConfig, RemoteProtocolError, greeting
from exgs.protocol.messages import Hello, Welcome

SERVER = ConnectionConfig(
    agent="server",
    versions=(1, 2, 3),
    capabilities=("b", "c"),
    session="s",
    resume_token=b"new",
    resumable=(b"old", b""),
)


def test_the_highest_common_version_is_chosen() -> None:
    answer, opened = greeting.welcome(Hello((1, 2, 9), ("a", "b")), SERVER)
    assert (answer.version, opened.version) == (2, 2)
    assert opened.capabilities == ("b",)
    assert (answer.session, answer.resume_token, answer.resumed) == ("s", b"new", False)


@pytest.mark.parametrize(("token", "resumed"), [(b"old", True), (b"other", False), (b"", False)])
def test_only_a_known_token_resumes(token: bytes, resumed: bool) -> None:
    answer, opened = greeting.welcome(Hello((1,), resume_token=token), SERVER)
    assert (answer.resumed, opened.resumed) == (resumed, resumed)
    assert opened.resume_token == token


def test_no_common_version_ends_the_session() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        greeting.welcome(Hello((9,)), SERVER)
    assert caught.value.close_code is CloseCode.UNSUPPORTED_VERSION


def test_the_client_refuses_a_version_it_did_not_offer() -> None:
    config = ConnectionConfig(versions=(1,), capabilities=("c", "d"))
    with pytest.raises(RemoteProtocolError) as caught:
        greeting.opened(Welcome(2), config)
    assert caught.value.close_code is CloseCode.UNSUPPORTED_VERSION
    opened = greeting.opened(Welcome(1, ("c",), "server", "s", b"t", True), config)
    assert opened == type(opened)(1, "server", ("c",), "s", b"t", True)

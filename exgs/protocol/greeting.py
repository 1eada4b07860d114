"""Hello and Welcome: what both ends agree on."""

from __future__ import annotations

from exgs.protocol.config import ConnectionConfig
from exgs.protocol.errors import RemoteProtocolError
from exgs.protocol.events import Opened
from exgs.protocol.messages import Hello, Welcome
from exgs.protocol.vocabulary import CloseCode


def hello(config: ConnectionConfig) -> Hello:
    """The client's first word."""
    return Hello(config.versions, config.capabilities, config.agent, config.resume_token)


def welcome(hello: Hello, config: ConnectionConfig) -> tuple[Welcome, Opened]:
    """The server's answer, and what its owner is told.

    Raises:
        RemoteProtocolError: no version is spoken by both.
    """
    version = max(set(hello.versions) & set(config.versions), default=None)
    if version is None:
        raise RemoteProtocolError(
            f"the client speaks versions {list(hello.versions)}, the server {list(config.versions)}",
            close_code=CloseCode.UNSUPPORTED_VERSION,
        )
    resumed = bool(hello.resume_token) and hello.resume_token in config.resumable
    answer = Welcome(version, config.capabilities, config.agent, config.session, config.resume_token, resumed)
    common = _common(hello.capabilities, config)
    return answer, Opened(version, hello.agent, common, config.session, hello.resume_token, resumed)


def opened(welcome: Welcome, config: ConnectionConfig) -> Opened:
    """What the client's owner is told.

    Raises:
        RemoteProtocolError: the server chose a version that was not offered.
    """
    if welcome.version not in config.versions:
        raise RemoteProtocolError(
            f"the server chose version {welcome.version}, offered were {list(config.versions)}",
            close_code=CloseCode.UNSUPPORTED_VERSION,
        )
    common = _common(welcome.capabilities, config)
    token = welcome.resume_token
    return Opened(welcome.version, welcome.agent, common, welcome.session, token, welcome.resumed)


def _common(theirs: tuple[str, ...], config: ConnectionConfig) -> tuple[str, ...]:
    return tuple(name for name in config.capabilities if name in theirs)

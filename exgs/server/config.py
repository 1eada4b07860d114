"""The settings of a server."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from exgs.codec import EncodeConfig
from exgs.protocol import ConnectionConfig
from exgs.protocol.drivers.settings import WebRtcConfig
from exgs.protocol.megabits import BYTES_PER_MBIT
from exgs.server.cache import DEFAULT_MAX_BYTES
from exgs.server.errors import UnfitSetting
from exgs.server.pool import ENCODE_TIMEOUT_S
from exgs.server.tickets import SECRET_RULE, is_secret
from exgs.version import __version__

LOOPBACK_HOSTS = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Limits:
    """What the server takes on."""

    max_sessions: int = 16
    """Sessions at a time, over all addresses."""
    max_sessions_per_address: int = 8
    """Sessions at a time from one network address; of IPv6, from one network of 64 bits."""
    calls: int = 60
    """Sessions that one address may ask for at once,"""
    calls_per_s: float = 1.0
    """and so many more each second."""
    min_share_bytes_per_s: float = 64_000.0
    """Nobody is let in where less than this of a bounded upload would be left for each active viewer."""
    max_late_s: float = 0.5
    """Nobody is let in while this process is so late with what is due."""
    body_timeout_s: float = 10.0
    """The body of a request must have arrived by then."""
    answer_timeout_s: float = 10.0
    """An offer must be answered by then."""
    resume_s: float = 60.0
    """For so long a viewer that lost its connection may come back to its session."""
    shutdown_s: float = 3.0
    """How long saying goodbye to all viewers may take."""


@dataclass(frozen=True)
class ServerConfig:
    """Everything about one server.

    Raises:
        UnfitSetting: with such values nobody could be served, or everybody who should not be.
    """

    scenes: Path
    """A folder of scenes, or one scene."""
    cache: Path
    """Folder for encoded scenes; made where it is missing."""
    host: str = "127.0.0.1"
    """Address to listen at for HTTP."""
    port: int = 8080
    """TCP port for HTTP; 0 for any free one."""
    token: str | None = field(default=None, repr=False)
    """Secret that requests must show, or a ticket that it signed; None lets everybody in."""
    tls_certificate: Path | None = None
    """PEM file; with it the server speaks HTTPS."""
    tls_key: Path | None = None
    """PEM file of the certificate's key; None where it lies in the same file."""
    encode: EncodeConfig = field(default_factory=EncodeConfig)
    """How source scenes are encoded."""
    cache_bytes: int = DEFAULT_MAX_BYTES
    """The cache is kept below this."""
    order: str = "error"
    """What is sent first, by its name in ``exgs.server.orders.ORDERS``; others are for experiments."""
    encoders: int = 1
    """Encodings at a time."""
    encode_timeout_s: float = ENCODE_TIMEOUT_S
    """An encoding that takes longer is stopped."""
    max_bytes_per_s: float = 0.0
    """Scene data sent to all viewers together, no less than one of them is let in for; 0 for no bound."""
    origins: tuple[str, ...] | None = None
    """Web pages that may call this server, such as ``https://example.org``, or ``*`` for all. None: all where
    there is a token, none but those of this machine where there is not."""
    behind_proxy: bool = False
    """Whether the last address in X-Forwarded-For is the viewer's, as a reverse proxy in front adds it."""
    limits: Limits = field(default_factory=Limits)
    """What the server takes on."""
    connection: ConnectionConfig = field(default_factory=lambda: ConnectionConfig(f"exgs {__version__}"))
    """How its ends of sessions behave."""
    webrtc: WebRtcConfig = field(default_factory=WebRtcConfig)
    """How its peer connections are made."""

    def __post_init__(self) -> None:
        least_bytes_per_s = self.limits.min_share_bytes_per_s
        if self.token is not None and not is_secret(self.token):
            raise UnfitSetting("token", f"expected {SECRET_RULE}")
        if self.tls_key is not None and self.tls_certificate is None:
            raise UnfitSetting("tls_key", f"{self.tls_key} is a key without its certificate")
        if self.max_bytes_per_s and not self.max_bytes_per_s >= least_bytes_per_s:
            raise UnfitSetting(
                "max_bytes_per_s",
                f"an upload of {self.max_bytes_per_s / BYTES_PER_MBIT:g} Mbit/s: nobody is let in who would "
                f"get less than {least_bytes_per_s / BYTES_PER_MBIT:g}",
            )
        if self.encoders < 1:
            raise UnfitSetting("encoders", f"expected 1 or more, found {self.encoders}")
        if not self.encode_timeout_s > 0:
            raise UnfitSetting("encode_timeout_s", f"expected more than 0, found {self.encode_timeout_s:g}")

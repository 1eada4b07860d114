"""Who is let in, and what those who are not can do: over HTTP, as a stranger would try."""

import asyncio
import datetime
import os
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from exgs.protocol import ConnectionConfig, Transport
from exgs.protocol.drivers.loopback import loopback_pair
from exgs.server.config import Limits, ServerConfig
from exgs.server.errors import ServerError
from exgs.server.service import RunningServer, serve
from exgs.server.tickets import issue

SDP = {"Content-Type": "application/sdp"}
SECRET = "open-sesame"


async def _answer(offer: str) -> tuple[Transport, str]:
    return loopback_pair()[1], "answer"


@asynccontextmanager
async def _server(config: ServerConfig) -> AsyncIterator[tuple[RunningServer, aiohttp.ClientSession]]:
    async with serve(config, answerer=_answer) as server, aiohttp.ClientSession(server.url) as http:
        yield server, http


@pytest.fixture
def config(scenes: Path, tmp_path: Path) -> ServerConfig:
    connection = ConnectionConfig(closing_timeout_s=0.01)
    return ServerConfig(scenes=scenes, cache=tmp_path / "cache", port=0, connection=connection)


async def _offer(http: aiohttp.ClientSession, **headers: str) -> tuple[int, dict[str, str], str]:
    async with http.post("/whep", data="offer", headers={**SDP, **headers}) as response:
        return response.status, dict(response.headers), await response.text()


async def test_a_ticket_opens_until_it_expires(config: ServerConfig) -> None:
    now_s = int(time.time())
    async with _server(replace(config, token=SECRET)) as (_, http):
        for token, status in (
            (issue(SECRET, now_s + 60), 201),
            (issue(SECRET, now_s - 1), 401),
            (issue("another", now_s + 60), 401),
            (SECRET, 201),
        ):
            assert (await _offer(http, Authorization=f"Bearer {token}"))[0] == status


async def test_an_address_that_calls_too_often_is_told_when_to_call_again(config: ServerConfig) -> None:
    limits = Limits(max_sessions_per_address=1, calls=3, calls_per_s=0.01)
    async with _server(replace(config, limits=limits)) as (server, http):
        statuses = [(await _offer(http))[0] for _ in range(3)]
        assert statuses == [201, 503, 503]
        status, headers, text = await _offer(http)
        assert status == 429 and "too often" in text
        assert 0 < int(headers["Retry-After"]) <= 100
        with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
            await http.ws_connect("/ws")
        assert caught.value.status == 429
        assert b'exgs_refused_total{reason="calls"} 2.0' in server.metrics.text()


async def test_sessions_that_come_and_go_are_bounded_in_number(config: ServerConfig) -> None:
    async with _server(replace(config, limits=Limits(calls=10, calls_per_s=0.01))) as (server, http):
        statuses = []
        for _ in range(15):
            status, headers, _ = await _offer(http)
            statuses.append(status)
            if status == 201:
                async with http.delete(headers["Location"]) as response:
                    assert response.status == 204
        assert statuses == [201] * 10 + [429] * 5
        assert len(server.reception) == 0 and len(server.reception._memory) == 0


async def test_nobody_is_let_in_where_nothing_is_left_to_share(config: ServerConfig) -> None:
    async with _server(replace(config, max_bytes_per_s=100_000)) as (server, http):
        assert (await _offer(http))[0] == 201
        turns = server.reception._house.uplink.turns
        turns.spend("viewer", 1, asyncio.get_running_loop().time())
        status, headers, text = await _offer(http)
        assert status == 503 and "share the upload" in text and int(headers["Retry-After"]) > 0
        turns.leave("viewer")
        assert (await _offer(http))[0] == 201


async def test_nobody_is_let_in_while_the_server_is_late(config: ServerConfig) -> None:
    async with _server(config) as (server, http):
        load = server.reception._house.load
        for _ in range(20):
            load.note(1.0)
        status, headers, text = await _offer(http)
        assert status == 503 and "too busy" in text and int(headers["Retry-After"]) > 0


@pytest.mark.parametrize(("origin", "status"), [("https://evil.example", 403), ("http://localhost:1", 201)])
async def test_a_foreign_page_changes_nothing(config: ServerConfig, origin: str, status: int) -> None:
    async with _server(config) as (server, http):
        assert (await _offer(http, Origin=origin))[0] == status
        assert len(server.reception) == (status == 201)
        _, headers, _ = await _offer(http)
        async with http.delete(headers["Location"], headers={"Origin": origin}) as response:
            assert response.status == (204 if status == 201 else 403)


PATHS = (
    *("../secret", "..%2fsecret", "%2e%2e/secret", "....//secret", "secret", "/etc/passwd", "stolen", "%00"),
    *("..%5csecret", "statue/../../secret", "C:%5csecret", "%c0%ae%c0%ae/secret", "parent", "a" * 5000),
)


async def test_no_name_leads_out_of_the_folder(config: ServerConfig, encoded: bytes) -> None:
    outside = config.scenes.parent / "secret.ugc"
    outside.write_bytes(encoded)
    os.symlink(outside, config.scenes / "stolen.ugc")
    os.symlink(config.scenes.parent, config.scenes / "parent")
    async with _server(config) as (server, http):
        for name in PATHS:
            for path in (f"/whep/{name}", f"/ws/{name}"):
                url = aiohttp.client.URL(server.url + path, encoded=True)
                method = "POST" if path.startswith("/whep") else "GET"
                async with http.request(method, url, data="offer", headers=SDP) as response:
                    assert response.status in (400, 404, 405), path
                    assert "secret" not in await response.text()
        assert [report.name for report in await server.scenes()] == ["room", "statue"]
        assert len(server.reception) == 0


async def test_a_caller_that_writes_its_headers_slowly_holds_no_place(config: ServerConfig) -> None:
    async with _server(config) as (server, http):
        slow = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(50)]
        for _, writer in slow:
            writer.write(b"POST /whep HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
            await writer.drain()
        assert len(server.reception) == 0
        assert (await _offer(http))[0] == 201
        for _, writer in slow:
            writer.close()


async def test_headers_without_end_are_refused(config: ServerConfig) -> None:
    async with _server(config) as (server, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100_000)
        async with asyncio.timeout(5):
            answer = await reader.read(200)
        assert b" 400 " in answer.splitlines()[0]
        writer.close()


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate that signs itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    day, now = datetime.timedelta(days=1), datetime.datetime.now(datetime.UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now - day, now + day)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    pem, encoding = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "key.pem").write_bytes(key.private_bytes(pem, encoding, serialization.NoEncryption()))
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(pem))
    return folder / "certificate.pem", folder / "key.pem"


async def test_https(config: ServerConfig, tmp_path: Path) -> None:
    certificate, key = _certificate(tmp_path)
    config = replace(config, tls_certificate=certificate, tls_key=key)
    context = ssl.create_default_context(cafile=str(certificate))
    async with serve(config, answerer=_answer) as server, aiohttp.ClientSession() as http:
        assert server.url == f"https://127.0.0.1:{server.port}"
        url = f"https://localhost:{server.port}/healthz"
        async with http.get(url, ssl=context) as response:
            assert response.status == 200
        with pytest.raises(aiohttp.ClientError):
            await http.get(url)  # nobody vouches for it
        with pytest.raises(aiohttp.ClientError):
            await http.get(f"http://localhost:{server.port}/healthz")


@pytest.mark.parametrize("fault", ["absent", "no key", "another's key", "rubbish"])
async def test_a_certificate_that_cannot_be_used(config: ServerConfig, tmp_path: Path, fault: str) -> None:
    certificate, key = _certificate(tmp_path)
    (tmp_path / "other").mkdir()
    settings: dict[str, Any] = {
        "absent": {"tls_certificate": tmp_path / "absent.pem"},
        "no key": {"tls_certificate": certificate},
        "another's key": {"tls_certificate": certificate, "tls_key": _certificate(tmp_path / "other")[1]},
        "rubbish": {"tls_certificate": config.scenes / "room.ply", "tls_key": key},
    }[fault]
    with pytest.raises(ServerError, match=r"pem|PEM"):
        async with serve(replace(config, **settings)):
            raise AssertionError("it serves")

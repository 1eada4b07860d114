"""``exgs serve``: its flags and its mistakes. What it does once it serves is tested with the server."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from exgs.cli import serve
from exgs.cli.errors import UsageError
from exgs.cli.main import run
from exgs.cli.network import TOKEN_VARIABLE
from exgs.codec.encoding.config import EncodeConfig
from exgs.protocol.drivers.settings import IceServer
from exgs.server.config import ServerConfig
from exgs.server.library import SceneReport

_FIELDS = ("x", "y", "z", "opacity", *(f"{name}_{n}" for name in ("f_dc", "scale", "rot") for n in range(3)))
EMPTY_PLY = "".join(
    ["ply\nformat binary_little_endian 1.0\nelement vertex 0\n"]
    + [f"property float {name}\n" for name in (*_FIELDS, "rot_3")]
    + ["end_header\n"]
).encode()


def _parse(*words: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(allow_abbrev=False)
    serve.add_arguments(parser)
    return parser.parse_args(words)


@pytest.fixture(autouse=True)
def _no_token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)


@pytest.mark.parametrize(
    ("words", "code", "reason"),
    [
        (("/nonexistent",), 1, "/nonexistent: no such file or folder"),
        ((".", "--host", "256.0.0.1", "--port", "0"), 1, "cannot listen at 256.0.0.1"),
        ((".", "--token", ""), 2, "--token is set, but empty"),
        ((".", "--tls-key", "key.pem"), 2, "--tls-key without --tls-cert: key.pem is a key"),
        ((".", "--max-mbps", "0.5"), 2, "--max-mbps: an upload of 0.5 Mbit/s: nobody"),
        ((".", "--tls-cert", "/nonexistent.pem"), 1, "/nonexistent.pem: No such file"),
        ((".", "--token", "two words"), 2, "the token must be"),
        (("x.ugc", "--ratio", "3"), 2, "--ratio: x.ugc is encoded already"),
        (("x.ugc", "--method", "ugc"), 2, "--method: x.ugc is encoded already"),
        (("x.ugc", "--effort", "best"), 2, "--effort: x.ugc is encoded already"),
    ],
)
def test_mistakes_are_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...], code: int, reason: str
) -> None:
    assert run(["serve", *words, "--cache", str(tmp_path)]) == code
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("empty.splat", b"", "empty"),
        ("empty.ply", EMPTY_PLY, "a scene without Gaussians"),
        ("broken.ply", b"ply\nnothing", "broken.ply"),
        ("broken.ugc", b"UGC?", "broken.ugc: "),
    ],
)
def test_a_scene_that_nobody_can_be_shown_is_known_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, data: bytes, reason: str
) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert run(["serve", str(path), "--port", "0", "--cache", str(tmp_path / "cache")]) == 1
    said = capsys.readouterr().err
    assert reason in said and said.count("\n") == 1


@pytest.mark.parametrize(
    "words",
    [
        (),
        (".", "--prot", "9"),
        (".", "--port", "65536"),
        (".", "--port", "-1"),
        (".", "--max-sessions", "0"),
        (".", "--ratio", "9", "--preset", "tiny"),
        (".", "--preset", "none"),
        (".", "again"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], words: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as caught:
        _parse(*words)
    assert caught.value.code == 2 and "error:" in capsys.readouterr().err


def test_without_flags_the_defaults_are_those_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/tmp")
    expected = ServerConfig(Path("scenes"), Path("/var/tmp/exgs"))
    assert serve.server_config(_parse("scenes")) == expected


def test_flags_reach_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN_VARIABLE, "from-the-environment")
    words = "s --port 0 --host ::1 --max-bytes 3MB --effort best --max-sessions 2 --allow-origin *"
    more = ("--ice-server", "stun:a:1", "--encode-timeout", "30m")
    config = serve.server_config(_parse(*words.split(), *more))
    assert (config.port, config.host, config.token) == (0, "::1", "from-the-environment")
    assert config.encode == EncodeConfig(max_bytes=3_000_000, effort="best")
    assert config.encode_timeout_s == 1800
    assert config.limits.max_sessions == 2 and config.origins == ("*",)
    assert config.webrtc.ice_servers == (IceServer("stun:a:1"),)
    assert serve.server_config(_parse("s", "--token", "given")).token == "given"


class Announced:
    """As much of a running server as is told of it."""

    url = "http://127.0.0.1:1"

    def __init__(self, *states: str, folders: int = 0) -> None:
        self._states = states
        self.folders = [(f"f{number}", "lacks pictures") for number in range(folders)]

    async def scenes(self) -> list[SceneReport]:
        return [SceneReport(state, 1000, state, detail="it is cut short") for state in self._states]

    async def passed_over(self) -> list[tuple[str, str]]:
        return self.folders


@pytest.mark.parametrize(
    ("states", "advised"),
    [(("new", "ready", "failed"), "new"), (("ready", "failed"), "ready"), (("failed",), "")],
)
async def test_only_what_can_be_opened_is_recommended(
    capsys: pytest.CaptureFixture[str], states: tuple[str, ...], advised: str
) -> None:
    server: Any = Announced(*states)
    await serve._announce(server, serve.server_config(_parse("s")), quiet=False)
    said = capsys.readouterr().out
    assert "cannot be played: it is cut short" in said and f"Serving {len(states)} scene" in said
    assert (f"exgs play http://127.0.0.1:1 --scene {advised}\n" in said) == bool(advised)
    assert ("exgs play" in said) == bool(advised)


@pytest.mark.parametrize(
    ("folders", "lines"), [(0, 0), (1, 1), (serve.MOST_PASSED_OVER + 1, 9), (serve.MOST_PASSED_OVER + 3, 9)]
)
async def test_folders_that_are_passed_over_are_told_with_what_they_lack(
    capsys: pytest.CaptureFixture[str], folders: int, lines: int
) -> None:
    server: Any = Announced("ready", folders=folders)
    await serve._announce(server, serve.server_config(_parse("s")), quiet=False)
    told = capsys.readouterr().out.splitlines()
    told = [line for line in told if line.startswith(("Passed over", "..."))]
    assert len(told) == lines
    assert not told or told[0] == "Passed over f0: lacks pictures"
    more = {9: "1 more folder that is no scene", 11: "3 more folders that are no scenes"}
    assert lines < 9 or told[-1] == f"... and {more[folders]}"


def test_the_token_is_in_no_representation() -> None:
    assert "sesame" not in repr(serve.server_config(_parse("s", "--token", "sesame")))


def test_a_bad_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for secret, says in (
        ("", f"{TOKEN_VARIABLE} is set, but empty"),
        ("a b", f"{TOKEN_VARIABLE}: the token"),
    ):
        monkeypatch.setenv(TOKEN_VARIABLE, secret)
        with pytest.raises(UsageError, match=says):
            serve.server_config(_parse("s"))

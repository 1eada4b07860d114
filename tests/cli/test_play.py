"""``exgs play``: what it takes, what it refuses, what it says."""

import asyncio
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exgs.cli.main import run
from exgs.cli.network import TOKEN_VARIABLE
from exgs.client.config import PlayConfig
from exgs.client.errors import ClientError
from exgs.client.progress import Listener, Milestone
from exgs.client.statistics import PlaySummary
from exgs.client.status import Status
from exgs.protocol.drivers.settings import IceServer

URL = "http://127.0.0.1:8080"
DEFAULT_RESTORE = "auto" if importlib.util.find_spec("onnxruntime") is not None else "off"

SUMMARY = PlaySummary(
    scene="room",
    first_chunk_s=0.1,
    first_frame_s=0.2,
    complete_s=1.5,
    frames_shown=30,
    frames_late=2,
    frames_stale=3,
    frames_dropped=4,
    frame_budget_ms=100 / 3,
    frame_ms_p50=10.0,
    frame_ms_p95=20.0,
    frame_ms_p99=30.0,
    chunks=5,
    chunks_expected=5,
    chunks_corrupt=0,
    bytes_received=123456,
    bytes_expected=123456,
    splats=4321,
    goodput_bytes_per_s=1e6,
    rtt_ms=1.5,
    buffered_bytes=4096,
)
STATUS = Status(1.0, bytes_received=50, bytes_expected=100, splats=10, frames_shown=5)


class Stand:
    """Stands in for the session: notes the configuration, says two things, gives a summary."""

    def __init__(self, summary: PlaySummary) -> None:
        self.summary = summary
        self.config: PlayConfig | None = None
        self.error: Exception | None = None
        self.stops = False

    async def play(
        self, config: PlayConfig, *,
        listen: Listener | None = None, interrupted: Callable[[PlaySummary], None] | None = None,
    ) -> PlaySummary:  # fmt: skip
        self.config = config
        if listen is not None:
            listen(Milestone("connecting", None, "connecting to the server"))
            listen(STATUS)
            listen(Milestone("first_frame", 0.25, "first frame shown"))
        if self.error is not None:
            raise self.error
        if self.stops and interrupted is not None:
            interrupted(self.summary)
            raise asyncio.CancelledError
        return self.summary


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Stand:
    stand = Stand(SUMMARY)
    monkeypatch.setattr("exgs.client.session.play", stand.play)
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    return stand


Output = Callable[[], tuple[str, str]]


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Output:
    def read() -> tuple[str, str]:
        captured = capsys.readouterr()
        return captured.out, captured.err

    return read


def test_the_defaults(stand: Stand, output: Output):
    assert run(["play", URL]) == 0
    assert stand.config == PlayConfig(URL, restore=DEFAULT_RESTORE)
    out, err = output()
    assert "room, 5 chunks" in out
    assert "30 shown of 34 due, of them 2 late and 3 stale; 4 dropped" in out
    assert "of 33.3 ms there are" in out
    assert err.splitlines() == ["connecting to the server", "   0.25 s  first frame shown"]


def test_every_flag_arrives(stand: Stand, tmp_path: Path):
    video, stats, log = tmp_path / "a.mp4", tmp_path / "a.csv", tmp_path / "a.jsonl"
    (walk := tmp_path / "walk.csv").touch()
    words = ["play", URL, "--scene", "room", "--head-trace", str(walk), "--stereo", "--size", "320x200"]
    words += ["--fps", "72", "--seconds", "2.5", "--out", str(video), "--stats", str(stats)]
    words += ["--stats", str(log), "--no-dashboard"]
    words += ["--token", "secret", "--backend", "cpu", "--ice-server", "stun:host:3478"]
    words += ["--max-splats", "1000000", "--no-fade", "--restore", "tiny", "--restore-engine", "torch"]
    assert run(words) == 0
    assert stand.config == PlayConfig(
        URL,
        scene="room",
        token="secret",
        path="head",
        head_trace=walk,
        stereo=True,
        size=(320, 200),
        fps=72.0,
        seconds=2.5,
        out=video,
        stats=stats,
        status_log=log,
        backend="cpu",
        ice_servers=(IceServer("stun:host:3478"),),
        max_splats=1_000_000,
        fade_s=0.0,
        restore="tiny",
        restore_engine="torch",
    )


@pytest.mark.parametrize(("mbps", "most"), [("20", 2_500_000), ("1e-9", 1)])
def test_a_bound_however_small_is_no_freedom(stand: Stand, mbps: str, most: int):
    assert run(["play", URL, "--max-mbps", mbps]) == 0
    assert stand.config is not None and stand.config.max_bytes_per_s == most


def test_json_alone_on_standard_output(stand: Stand, output: Output):
    assert run(["play", URL, "--json"]) == 0
    out, err = output()
    assert json.loads(out) == SUMMARY.to_json()
    assert err == ""


def test_quiet_says_nothing(stand: Stand, output: Output):
    assert run(["play", URL, "-q"]) == 0
    assert output() == ("", "")


def test_the_token_may_come_from_the_environment(stand: Stand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(TOKEN_VARIABLE, "hidden")
    assert run(["play", URL]) == 0
    assert stand.config.token == "hidden"
    assert "hidden" not in repr(stand.config)


def test_orbit_and_null(stand: Stand):
    assert run(["play", URL, "--orbit", "--out", "null"]) == 0
    assert stand.config == PlayConfig(URL, path="orbit", restore=DEFAULT_RESTORE)


@pytest.mark.parametrize("installed", [True, False])
def test_pictures_are_restored_by_default_where_that_is_possible(
    stand: Stand, monkeypatch: pytest.MonkeyPatch, output: Output, installed: bool
):
    spec = importlib.util.find_spec("json") if installed else None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    assert run(["play", URL]) == 0
    assert stand.config.restore == ("auto" if installed else "off")
    assert "not restored" not in output()[1], "nobody asked for it"


def test_a_lost_connection_is_exit_code_1_with_a_summary(stand: Stand, output: Output):
    stand.summary = PlaySummary(**{**vars(SUMMARY), "lost_connection": "the peer fell silent"})
    assert run(["play", URL]) == 1
    out, err = output()
    assert "30 shown" in out
    assert err.splitlines()[-1] == ("exgs: connection lost: the peer fell silent; showed what had arrived")


def test_an_interrupted_session_has_its_summary(stand: Stand, output: Output):
    stand.stops = True
    assert run(["play", URL]) == 130
    out, err = output()
    assert "30 shown" in out and err.splitlines()[-1] == "exgs: interrupted"
    assert run(["play", URL, "--json"]) == 130
    assert json.loads(output()[0]) == SUMMARY.to_json()


def test_what_was_restored_is_said(stand: Stand, output: Output):
    stand.summary = replace(
        SUMMARY, restorer="tiny on cpu", frames_restored=16, frames_rich=7, frames_whole=4
    )
    assert run(["play", URL, "--restore", "auto"]) == 0
    assert (
        "16 frames by tiny on cpu; left alone 7 (splats enough in view), 4 (hardly any holes), "
        "3 (frames take too long)" in output()[0]
    )


def test_an_engine_for_nothing_is_refused(stand: Stand):
    assert run(["play", URL, "--restore", "off", "--restore-engine", "cpu"]) == 2
    assert stand.config is None


def test_a_failure_is_one_line_and_exit_code_1(stand: Stand, output: Output):
    stand.error = ClientError("the server has no scenes")
    assert run(["play", URL, "-q"]) == 1
    assert output() == ("", "exgs: the server has no scenes\n")


@pytest.mark.parametrize(
    "words",
    [
        [],
        [URL, "--orbit", "--head-trace", "a.csv"],
        [URL, "--size", "640"],
        [URL, "--fps", "0"],
        [URL, "--fps", "1e9"],
        [URL, "--seconds", "-1"],
        [URL, "--seconds", "1e9"],
        [URL, "--warp"],
        [URL, "--backend", "abacus"],
        [URL, "--max-splats", "1e6"],
        [URL, "extra"],
    ],
)
def test_wrong_usage(stand: Stand, words: list[str]):
    with pytest.raises(SystemExit) as caught:
        run(["play", *words])
    assert caught.value.code == 2
    assert stand.config is None


def test_wrong_values(stand: Stand, tmp_path: Path, output: Output):
    (tmp_path / "there.mp4").touch()
    (tmp_path / "file").touch()
    (tmp_path / "folder").mkdir()
    for words, says in (
        (["ftp://host"], "expected an address"),
        (
            [str(tmp_path / "file")],
            f"is a file, expected a server's address: 'exgs serve {tmp_path / 'file'}'",
        ),
        ([str(tmp_path / "folder")], "is a folder, expected a server's address"),
        ([URL, "--out", str(tmp_path / "there.mp4")], "-w replaces it"),
        ([URL, "--out", str(tmp_path / "a.gif")], "expected a video"),
        ([URL, "--out", str(tmp_path / "file"), "-w"], "is a file"),
        ([URL, "--out", str(tmp_path / "folder")], "-w replaces it"),
        ([URL, "--out", str(tmp_path / "no" / "a.mp4")], "no such folder"),
        ([URL, "--stats", str(tmp_path / "a.txt")], ".csv or .jsonl"),
        ([URL, "--stats", str(tmp_path / "a.csv"), "--stats", str(tmp_path / "b.CSV")], "is enough"),
        ([URL, "--token", "a\nb"], "printable"),
    ):
        assert run(["play", *words]) == 2
        assert says in output()[1]
    assert stand.config is None


def test_overwrite(stand: Stand, tmp_path: Path):
    (tmp_path / "there.mp4").touch()
    assert run(["play", URL, "--out", str(tmp_path / "there.mp4"), "-w"]) == 0


def test_help_is_quick_to_load_nothing_heavy():
    code = "import sys; import exgs.cli.play; print(sorted({'numba', 'av', 'aiortc'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

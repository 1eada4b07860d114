"""The demo, small: generate, encode, serve, stream over real WebRTC, report."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image

from exgs.version import __version__
from tests.cli.conftest import Command
from tests.client.stage import encoded


@pytest.mark.end_to_end
def test_the_whole_path(exgs: Command, tmp_path: Path) -> None:
    out = tmp_path / "demo"
    code, said, err = exgs(
        "demo",
        "--out",
        out,
        "--count",
        "20000",
        "--seconds",
        "1",
        "--fps",
        "10",
        "--effort",
        "fast",
        "--json",
    )
    assert code == 0, err
    report = json.loads(said)
    assert report == json.loads((out / "report.json").read_text())
    encoded, played, quality = report["encode"], report["play"], report["quality"]
    assert encoded["splats_in"] == 20000
    assert 0.98 <= 100 * encoded["bytes"] / encoded["float_bytes"] <= 1.0
    assert (out / "interior.ugc").stat().st_size == encoded["bytes"] == played["bytes_received"]
    assert played["lost_connection"] is None and played["chunks"] == played["chunks_expected"] > 0
    assert played["first_frame_s"] > 0 and played["frames_shown"] > 0 and played["goodput_bytes_per_s"] > 0
    assert quality["psnr_mean"] > 15 and 0 < quality["flip_mean"] < 1 and quality["views"] == 8
    assert (report["made_with"]["exgs"], report["made_with"]["effort"]) == (__version__, "fast")
    with av.open(str(out / "session.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 10
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.size == (2 * 640 + 4, 8 * 364 - 4)
    assert exgs("demo", "--out", out)[0] == 2, "nothing is replaced without -w"


def test_weights_that_cannot_be_used_are_known_before_anything_is_made(exgs: Command, tmp_path: Path) -> None:
    code, _, err = exgs("demo", "--out", tmp_path / "demo", "--restore", tmp_path / "nowhere", "-q")
    assert code == 1 and "nowhere: expected one of tiny, small, base" in err
    assert not list((tmp_path / "demo").iterdir())


OWNER = """
import os, signal, sys
from pathlib import Path
from exgs.cli.demo import _server
with _server(Path(sys.argv[1])) as url:
    print(url, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.end_to_end
@pytest.mark.skipif(os.name != "posix", reason="nobody is killed like that here")
def test_its_server_does_not_outlive_it(tmp_path: Path) -> None:
    stream = tmp_path / "ball.ugc"
    stream.write_bytes(encoded())
    owner = subprocess.run(
        [sys.executable, "-c", OWNER, stream], stdout=subprocess.PIPE, text=True, check=False
    )
    assert owner.returncode == -signal.SIGKILL
    port = int(owner.stdout.strip().rpartition(":")[2])
    with contextlib.suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), 60) as viewer:
        assert viewer.recv(1) == b"", "what was open when it ended is closed"

"""Streams that are closed or narrow, and signals."""

import ctypes
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from exgs.cli.process import ending_on_signals

EXGS = [sys.executable, "-m", "exgs"]


def test_a_signal_unwinds_what_was_begun() -> None:
    unwound = []
    with pytest.raises(SystemExit) as stop, ending_on_signals():
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            unwound.append(True)
    assert stop.value.code == 128 + signal.SIGTERM and unwound == [True]


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with ending_on_signals():
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(os.name != "posix", reason="there is no such signal here")
def test_what_a_process_was_started_to_ignore_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with ending_on_signals():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.skipif(os.name != "posix", reason="signals itself")
@pytest.mark.parametrize(
    "number, expected", [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_in_a_callback_from_c_is_not_lost(
    number: signal.Signals, expected: type[BaseException], capsys: pytest.CaptureFixture[str]
) -> None:
    before = sys.unraisablehook
    callback = ctypes.CFUNCTYPE(None)(lambda: os.kill(os.getpid(), number))
    with pytest.raises(expected), ending_on_signals():
        callback()  # raises nothing: C has no way to
        threading.Event().wait(10.0)
    assert sys.unraisablehook is before and capsys.readouterr().err == ""


@pytest.mark.parametrize("encoding", ["ascii:strict", "utf-8:strict"])
def test_names_beyond_the_encoding_are_escaped(scene_path: Path, tmp_path: Path, encoding: str) -> None:
    odd = os.fsencode(tmp_path) + b"/caf\xc3\xa9\xff.ply"
    Path(os.fsdecode(odd)).symlink_to(scene_path)
    done = subprocess.run(
        [*(os.fsencode(word) for word in [*EXGS, "info"]), odd],
        capture_output=True, env=os.environ | {"PYTHONIOENCODING": encoding}, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and b"\\udcff" in done.stdout and done.stderr == b""


@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by a shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_do_no_harm(scene_path: Path, tmp_path: Path, closed: str) -> None:
    target = tmp_path / "out.spz"
    command = f'"$0" -m exgs convert "$1" "$2" {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, str(scene_path), str(target)], capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"") or "2>" not in closed
    assert done.returncode == 0 and target.stat().st_size > 0


@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by a shell")
@pytest.mark.parametrize("closed", ["<&-", "<&- >&-", "<&- >&- 2>&-"])
def test_an_event_loop_runs_where_streams_are_closed(closed: str) -> None:
    command = f'"$0" -m exgs play http://127.0.0.1:9 --json --seconds 1 {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1
    assert ("127.0.0.1:9" in done.stderr) != ("2>&-" in closed)


@pytest.mark.skipif(os.name != "posix", reason="descriptors are closed by a shell")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_what_is_closed_is_nothing_for_children_too(tmp_path: Path, closed: str) -> None:
    target = tmp_path / "found"
    body = (
        "import os, subprocess, sys; from exgs.cli.process import prepare_streams; prepare_streams();"
        "file = open(sys.argv[1], 'w'); assert file.fileno() > 2;"
        "child = 'import os; [os.fstat(n) for n in (0, 1, 2)]';"
        "file.write(str(subprocess.run([sys.executable, '-c', child]).returncode))"
    )
    subprocess.run(["sh", "-c", f'"$0" -c "$1" "$2" {closed}', sys.executable, body, target], check=True)
    assert target.read_text() == "0"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_behind_standard_output_is_one_line(scene_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*EXGS, "info", scene_path], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1 and done.stderr == "exgs: No space left on device\n"


def test_the_end_of_input_ends_a_process_that_is_to_end_with_it() -> None:
    body = (
        "import threading; from exgs.cli.process import end_with_input; end_with_input();"
        "print('waits', flush=True); threading.Event().wait()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", body], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None and process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"waits\n" and process.poll() is None
        process.stdin.close()
        assert b"KeyboardInterrupt" in process.stderr.read()


IMPORTING = """
import contextlib, signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
module, sys.argv[1:] = sys.argv[1], sys.argv[2:] or ["info", sys.executable]
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            print("imports", flush=True)
            with contextlib.suppress(KeyboardInterrupt):  # as libraries in C do now and then
                threading.Event().wait(30.0)
sys.meta_path.insert(0, Slow())
from exgs.__main__ import main
raise SystemExit(main())
"""


def ended_while_importing(module: str, number: signal.Signals, *words: str) -> tuple[bytes, int]:
    """What a command says, and how it ends, that gets a signal while it imports ``module``."""
    with subprocess.Popen(
        [sys.executable, "-c", IMPORTING, module, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == b"imports\n"
        process.send_signal(number)
        said = process.stderr.read()
    return said, process.returncode


@pytest.mark.skipif(os.name != "posix", reason="signals itself")
@pytest.mark.parametrize("module", ["exgs.cli.main", "argparse", "exgs.cli.info", "numpy"])
def test_an_interrupt_during_the_first_imports_ends_quietly(module: str) -> None:
    assert ended_while_importing(module, signal.SIGINT) == (b"exgs: interrupted\n", 130)


@pytest.mark.skipif(os.name != "posix", reason="signals itself")
@pytest.mark.parametrize(
    ("words", "module"),
    [
        ("serve {scene} --port 0 --cache {out}", "exgs.server.service"),
        ("serve {scene} --port 0 --cache {out}", "exgs.codec.decoder"),
        ("demo --out {out}", "exgs.codec.encoding.encoder"),
        ("demo --out {out}", "exgs.codec.decoder"),
        ("demo --out {out}", "exgs.client.session"),
        ("play http://127.0.0.1:9", "exgs.client.session"),
        ("render {scene} null --orbit 3", "exgs.codec.decoder"),
        ("render {scene} null --orbit 3", "exgs.painter"),
        ("decode {ugc} null", "exgs.codec.decoder"),
        ("info {ugc}", "exgs.codec.decoder"),
        ("convert {scene} null", "exgs.codec.decoder"),
        ("compare {scene} {scene} --cameras {scene}", "exgs.raster.quality"),
        ("encode {scene} null", "exgs.codec.encoding.encoder"),
        ("experiment {scene} --dry-run", "exgs.experiments.running"),
        ("reconstruct {scene} null", "exgs.feedforward.read"),
        ("painter export {scene} {out}", "exgs.cli.painter_export"),
    ],
)
def test_an_interrupt_while_a_command_imports_what_it_needs_ends_quietly(
    words: str, module: str, tmp_path: Path
) -> None:
    names = {"scene": tmp_path / "a.ply", "ugc": tmp_path / "a.ugc", "out": tmp_path / "out"}
    for name in ("scene", "ugc"):
        names[name].touch()
    ended = ended_while_importing(module, signal.SIGINT, *words.format(**names).split())
    assert ended == (b"exgs: interrupted\n", 130)


@pytest.mark.skipif(os.name != "posix", reason="signals itself")
@pytest.mark.parametrize("module", ["argparse", "exgs.cli.info", "numpy"])
def test_what_asks_the_process_to_end_does_so_during_the_first_imports(module: str) -> None:
    assert ended_while_importing(module, signal.SIGTERM) == (b"", -signal.SIGTERM)


def test_only_what_is_not_begun_is_ended_at_once() -> None:
    body = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"
        "from exgs.cli.interrupting import end_at_once, raising; end_at_once();"
        "kinds = [signal.getsignal(signal.SIGINT).__name__];\n"
        "with raising(): kinds.append(signal.getsignal(signal.SIGINT).__name__)\n"
        "kinds.append(signal.getsignal(signal.SIGINT).__name__); print(*kinds)"
    )
    done = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["_end", "default_int_handler", "_end"]


@pytest.mark.skipif(os.name != "posix", reason="signals itself")
def test_an_interrupt_that_is_ignored_stays_so() -> None:
    body = (
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN);"
        "from exgs.cli.interrupting import end_at_once; end_at_once();"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    )
    done = subprocess.run([sys.executable, "-c", body], capture_output=True, text=True, check=False)
    assert done.stdout == "True\n"

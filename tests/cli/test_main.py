"""The command table: help, version, exit codes, one line for every failure."""

import argparse
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import exgs
from exgs.cli.main import COMMANDS, FAILURES, build_parser, run
from exgs.version import __version__

HEAVY = {"numpy", "numba", "scipy", "aiohttp", "torch", "PIL", "onnxruntime", "av"}
"""What takes long to import."""


def test_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out.strip() == f"exgs {__version__}"


def test_no_command_prints_the_list(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run([command, "--help"])
    assert stop.value.code == 0
    assert "Exit codes" in capsys.readouterr().out


@pytest.mark.parametrize("command", COMMANDS)
def test_unknown_flags_are_refused(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run([command, "--no-such-flag"])
    assert stop.value.code == 2
    assert f"usage: exgs {command} " in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS)
def test_flags_are_not_abbreviated(command: str) -> None:
    parser, _ = build_parser([command])
    assert parser.allow_abbrev is False


@pytest.mark.parametrize("words", [("painter", "train"), ("feedforward", "make-views")])
def test_commands_of_a_group_have_help_of_their_own(
    words: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        run([*words, "--help"])
    assert stop.value.code == 0 and "Exit codes" in capsys.readouterr().out


def test_wrong_usage_names_the_help_that_lists_the_flags(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["painter", "train", str(tmp_path), str(tmp_path), "--resume"]) == 2
    assert capsys.readouterr().err.endswith("Try 'exgs painter train --help'.\n")
    assert run(["info", "x.ply", "--chunks"]) == 2
    assert capsys.readouterr().err.endswith("Try 'exgs info --help'.\n")


def test_an_unknown_command_is_wrong_usage() -> None:
    with pytest.raises(SystemExit) as stop:
        run(["compress"])
    assert stop.value.code == 2


def test_a_missing_file_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["info", str(tmp_path / "absent.ply")]) == 1
    error = capsys.readouterr().err
    assert error.startswith("exgs: ") and "absent.ply" in error and len(error.splitlines()) == 1


@pytest.mark.parametrize(
    "words",
    [
        "--help", "--version", "play --help", "play --no-such-flag", "encode --help", "reconstruct --help",
        "play url --restore bogus", "play ftp://a", "play url --head-trace MISSING", "encode MISSING x.ugc",
        "encode {here} x.ply", "reconstruct MISSING x.ugc", "decode x.ply null", "info MISSING",
        "decode MISSING.ugc null", "experiment MISSING", "play url --stats x.txt",
    ],
)  # fmt: skip
def test_help_and_mistakes_wait_for_nothing_heavy(words: str) -> None:
    assert loaded_by(words, HEAVY) == set()


@pytest.mark.parametrize(
    "words",
    [
        "render MISSING null --orbit 3", "render {here} null --head-trace MISSING", "convert MISSING x.ply",
        "render {here} x.jpg --orbit 3", "render {here} - --orbit 3",
        "compare {here} MISSING --cameras {here}", "render {here} null --orbit 3 --restore bogus",
    ],
)  # fmt: skip
def test_mistakes_where_numbers_are_known_already_wait_for_nothing_heavier(words: str) -> None:
    assert loaded_by(words, HEAVY - {"numpy", "scipy", "PIL"}) == set()


def loaded_by(words: str, heavy: set[str]) -> set[str]:
    """What of ``heavy`` a command imports that ends at once: in a mistake, or well where it only tells."""
    code = (
        "import sys; from exgs.cli.main import run\n"
        f"try: code = run({words.format(here=__file__).split()})\n"
        "except SystemExit as stop: code = stop.code\n"
        f"print('code', code, *({heavy} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    _, ended, *loaded = done.stdout.splitlines()[-1].split()
    mistaken = "--help" not in words and words != "--version"
    assert ended in (("1", "2") if mistaken else ("0",)), done
    return set(loaded)


@pytest.mark.parametrize(("place", "name"), FAILURES)
def test_every_error_that_tells_itself_is_one_line(
    place: str, name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(args: argparse.Namespace) -> int:
        raise getattr(importlib.import_module(place), name)("what was found")

    monkeypatch.setattr("exgs.cli.doctor.run", fail)
    assert run(["doctor"]) == 1
    assert capsys.readouterr().err == "exgs: what was found\n"


def test_no_room_has_an_error_of_its_own_that_is_not_told() -> None:
    rooms = {str(path.parent.name) for path in Path(exgs.__file__).parent.glob("*/errors.py")}
    assert rooms <= {place.split(".")[1] for place, _ in FAILURES}


def test_it_runs_as_a_module() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "exgs", "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.strip()) == (0, f"exgs {__version__}")
